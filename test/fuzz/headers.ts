import { partcloneCrc32 } from "../../fixtures-gen/checksums.ts";
import type { ByteOrder } from "../../fixtures-gen/fixture.ts";
import { NTFSCLONE_HEADER } from "../../fixtures-gen/ntfsclone.ts";
import { V1_HEADER, V1_HEADER_SIZE } from "../../fixtures-gen/partclone-v1.ts";
import { sealHeader, V2_HEADER, V2_HEADER_SIZE } from "../../fixtures-gen/partclone-v2.ts";
import type { Struct } from "../../fixtures-gen/struct.ts";

export type Kind = "v1" | "v2" | "ntfsclone" | "stream";

/** What a mutation must know of a kind of image to hit where it matters. */
export interface Anatomy {
  readonly header: Struct;
  readonly headerSize: number;
}

export const anatomies: Readonly<Record<Kind, Anatomy>> = {
  v1: { header: V1_HEADER, headerSize: V1_HEADER_SIZE },
  v2: { header: V2_HEADER, headerSize: V2_HEADER_SIZE },
  ntfsclone: { header: NTFSCLONE_HEADER, headerSize: 50 },
  // Compressed: without fields that we know.
  stream: { header: {}, headerSize: 0 },
};

/** The byte order that the image's own marker claims. */
export function orderOf(image: Uint8Array): ByteOrder {
  return image[V2_HEADER.byteOrder[0]] === 0xc0 ? "big" : "little";
}

/** A version 0002 header with its checksum made right, so that what else is wrong gets through. */
export function seal(image: Uint8Array): void {
  if (image.length >= V2_HEADER_SIZE) sealHeader(image, orderOf(image));
}

/** Bytes of a version 0002 bitmap of bits that the file has room for with its CRC; 0: none. */
export function bitmapLength(image: Uint8Array): number {
  if (image.length < V2_HEADER_SIZE) return 0;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const total = view.getBigUint64(V2_HEADER.totalBlocks[0], orderOf(image) === "little");
  const length = (total + 7n) / 8n;
  return length > BigInt(image.length - V2_HEADER_SIZE - 4) ? 0 : Number(length);
}

export function sealBitmap(image: Uint8Array): void {
  const end = V2_HEADER_SIZE + bitmapLength(image);
  if (end === V2_HEADER_SIZE) return;
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const crc = partcloneCrc32(image.subarray(V2_HEADER_SIZE, end));
  view.setUint32(end, crc, orderOf(image) === "little");
}
