import { append, type Break, copyOf, cutTo, flip, last, rebuild } from "./break.ts";
import { encodeCrc32, partcloneCrc32 } from "./checksums.ts";
import type { Fixture, PartcloneV2Params } from "./fixture.ts";
import { sealHeader, V2_HEADER, V2_HEADER_SIZE } from "./partclone-v2.ts";
import { put, type Values } from "./struct.ts";

/** Changes fields and makes the header's checksum right again, so that only they are wrong. */
function withHeader(fixture: Fixture, values: Values<typeof V2_HEADER>): Uint8Array {
  const image = copyOf(fixture);
  put(image, V2_HEADER, values, "little");
  sealHeader(image, "little");
  return image;
}

function field(base: Break["base"], values: Values<typeof V2_HEADER>): Break {
  return { base, apply: (fixture) => withHeader(fixture, values) };
}

/** Where a bitmap of bits ends and its checksum begins. */
function bitmapEnd(fixture: Fixture): number {
  return V2_HEADER_SIZE + Math.ceil(fixture.blockCount / 8);
}

/** Sets the bitmap's very last bit, with the right checksum over it. */
function withLastBit(fixture: Fixture): Uint8Array {
  const image = copyOf(fixture);
  const end = bitmapEnd(fixture);
  image[end - 1] = (image[end - 1] ?? 0) | 0x80;
  const crc = partcloneCrc32(image.subarray(V2_HEADER_SIZE, end));
  image.set(encodeCrc32(crc, "little"), end);
  return image;
}

const headerBreaks: Readonly<Record<string, Break>> = {
  "PC2-MAGIC": field("v2-crc32", { magic: "partclone-imagf" }),
  "PC2-VERSION": field("v2-crc32", { version: "0003" }),
  "PC2-HEADER-COMPLETE": {
    base: "v2-crc32",
    apply: (fixture) => cutTo(fixture, V2_HEADER_SIZE - 10),
  },
  "PC2-BYTE-ORDER": field("v2-crc32", { byteOrder: 0x1234 }),
  "PC2-HEADER-CRC": {
    base: "v2-crc32",
    apply: (fixture) => flip(fixture, V2_HEADER.crc[0]),
  },
  "PC2-FEATURE-SIZE": field("v2-crc32", { featureSize: 20 }),
  "PC2-IMAGE-VERSION": field("v2-crc32", { imageVersion: 3 }),
  "PC2-CPU-BITS": field("v2-crc32", { cpuBits: 16 }),
  "PC2-CHECKSUM-MODE": field("v2-crc32", { checksumMode: 0x77 }),
  "PC2-CHECKSUM-SIZE": field("v2-crc32", { checksumSize: 8 }),
  "PC2-CHECKSUM-BLOCKS": field("v2-crc32", { blocksPerChecksum: 0 }),
  "PC2-RESEED": field("v2-crc32", { reseed: 2 }),
  "PC2-BITMAP-MODE": field("v2-crc32", { bitmapMode: 2 }),
  // No block is stored, so nothing but the size itself is wrong.
  "PC2-BLOCK-SIZE": field("v2-empty", { blockSize: 0 }),
  "PC2-DEVICE-SIZE": {
    base: "v2-crc32",
    apply: (fixture) => withHeader(fixture, { deviceSize: fixture.deviceSize - fixture.blockSize }),
  },
  "PC2-RANGE": field("v2-crc32", { deviceSize: 2n ** 53n }),
  "PC2-USED-SUPERBLOCK": {
    base: "v2-crc32",
    apply: (fixture) => withHeader(fixture, { usedSuperblock: fixture.blockCount + 1 }),
  },
  "PC2-USED-BITMAP": {
    base: "v2-crc32",
    apply: (fixture) => withHeader(fixture, { usedBitmap: fixture.stored.length + 1 }),
  },
};

const bodyBreaks: Readonly<Record<string, Break>> = {
  "PC2-BITMAP-COMPLETE": {
    base: "v2-crc32",
    apply: (fixture) => cutTo(fixture, V2_HEADER_SIZE + 3),
  },
  "PC2-BITMAP-CRC": {
    base: "v2-crc32",
    apply: (fixture) => flip(fixture, bitmapEnd(fixture)),
  },
  "PC2-STRAY-BITS": { base: "v2-crc32", apply: withLastBit },
  "PC2-BYTE-MAP-VALUES": {
    base: "v2-bitmap-bytes",
    apply: (fixture) => {
      const image = copyOf(fixture);
      image[V2_HEADER_SIZE + fixture.present.indexOf(0)] = 2;
      return image;
    },
  },
  "PC2-BITMAGIC": {
    base: "v2-bitmap-bytes",
    apply: (fixture) => flip(fixture, V2_HEADER_SIZE + fixture.blockCount),
  },
  "PC2-BIG-ENDIAN-TAIL": {
    // 77 blocks: of the second word only two bytes are left, and blocks 64 to 76 are in the others.
    base: "v2-big-endian",
    apply: (fixture) => rebuild<PartcloneV2Params>(fixture, { runs: [3, 5, 17, 1, 2, 40, 9] }),
  },
  "PC2-CHECKSUM": {
    // In the last, short strip, which real tools forget to check.
    base: "v2-short-last-strip",
    apply: (fixture) => flip(fixture, last(fixture.strips).checksumOffset),
  },
  "PC2-DATA-COMPLETE": {
    base: "v2-crc32",
    apply: (fixture) => cutTo(fixture, fixture.image.length - 100),
  },
  "PC2-DATA-END": {
    base: "v2-crc32",
    apply: (fixture) => append(fixture, 0, 0, 0),
  },
};

export const v2Breaks: Readonly<Record<string, Break>> = { ...headerBreaks, ...bodyBreaks };
