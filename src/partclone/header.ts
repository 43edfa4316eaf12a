import { CRC32_START, crc32Update } from "../bytes/crc32.ts";
import { ImageBackupError } from "../bytes/errors.ts";
import { decode } from "../bytes/struct.ts";
import type { ByteStream } from "../source/source.ts";
import {
  type Header,
  isByteOrder,
  MAGIC,
  V1_HEADER_BYTES,
  V2_HEADER_BYTES,
  V2_HEADER_CRC_AT,
  VERSION_AT,
  v1Layout,
  v2Layout,
} from "./layouts.ts";

/** Reads the header as the file has it. Throws where there is none of a version we know. */
export async function readHeader(stream: ByteStream): Promise<Header> {
  const head = new Uint8Array(V1_HEADER_BYTES);
  const got = await stream.peek(head);
  const magic = String.fromCharCode(...head.subarray(0, MAGIC.length));
  if (magic !== MAGIC) {
    throw new ImageBackupError("NOT_AN_IMAGE", `${stream.name}: not a partclone image`, {
      imageOffset: 0,
    });
  }
  // A file cut before its version is most likely one of the format that is written today.
  if (got < VERSION_AT + 4) throw cutHeader(stream.name, 2, got, V2_HEADER_BYTES);
  const version = String.fromCharCode(...head.subarray(VERSION_AT, VERSION_AT + 4));
  if (version !== "0001" && version !== "0002") throw unknownVersion(stream.name, version, head);
  const generation = version === "0001" ? 1 : 2;
  const size = generation === 1 ? V1_HEADER_BYTES : V2_HEADER_BYTES;
  if (got < size) throw cutHeader(stream.name, generation, got, size);
  await stream.read(head.subarray(0, size));
  return generation === 1 ? v1Header(head) : v2Header(head);
}

function v1Header(head: Uint8Array): Header {
  return { ...decode(v1Layout, head, true), generation: 1 };
}

function v2Header(head: Uint8Array): Header {
  // The marker's bytes are DE C0 from a little-endian writer (PC2-BYTE-ORDER).
  const littleEndian = head[v2Layout.byteOrder.at] !== 0xc0;
  const computedCrc = crc32Update(CRC32_START, head.subarray(0, V2_HEADER_CRC_AT));
  return { ...decode(v2Layout, head, littleEndian), generation: 2, littleEndian, computedCrc };
}

function unknownVersion(name: string, version: string, head: Uint8Array): ImageBackupError {
  // Only format 0002, and what came of it, has a byte-order marker behind the version.
  const rule = isByteOrder(head.subarray(VERSION_AT + 4)) ? "PC2-VERSION" : "PC1-VERSION";
  return new ImageBackupError(
    "UNSUPPORTED",
    `${name}: a partclone image of version ${JSON.stringify(version)}; versions 0001 and 0002 can be read (${rule})`,
    { imageOffset: VERSION_AT, rule },
  );
}

function cutHeader(name: string, generation: number, got: number, size: number) {
  const rule = `PC${generation}-HEADER-COMPLETE`;
  return new ImageBackupError(
    "CORRUPT",
    `${name}: the image ends after ${got} bytes, within its header of ${size} (${rule})`,
    { imageOffset: got, rule },
  );
}
