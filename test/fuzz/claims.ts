import { encodeGap, NEXT, NTFSCLONE_HEADER } from "../../fixtures-gen/ntfsclone.ts";
import { BITMAGIC, V1_HEADER, V1_HEADER_SIZE } from "../../fixtures-gen/partclone-v1.ts";
import {
  BYTE_ORDER_MARK,
  sealHeader,
  V2_HEADER,
  V2_HEADER_SIZE,
} from "../../fixtures-gen/partclone-v2.ts";
import { concatenate } from "../../fixtures-gen/strips.ts";
import { put, type Values } from "../../fixtures-gen/struct.ts";

/** A small image with a large mouth. */
export interface Claim {
  readonly image: Uint8Array;
  /** `opened`, or the code of the error that refuses it. */
  readonly outcome: string;
}

const KIB = 2 ** 10;
const MIB = 2 ** 20;
const NO_MAP = { checksumMode: 0, checksumSize: 0, blocksPerChecksum: 0, bitmapMode: 0 };
const CRC32 = { checksumMode: 0x20, checksumSize: 4, blocksPerChecksum: 1, bitmapMode: 0 };
const XXH128 = { checksumMode: 0x31, checksumSize: 16, blocksPerChecksum: 1, bitmapMode: 0 };

/** A version 0002 header, sealed, and `rest` bytes behind it. */
function v2(values: Values<typeof V2_HEADER>, rest = 90): Uint8Array {
  const image = new Uint8Array(V2_HEADER_SIZE + rest);
  const usual = {
    magic: "partclone-image",
    toolVersion: "0.3.47",
    version: "0002",
    byteOrder: BYTE_ORDER_MARK,
    fsType: "EXTFS",
    blockSize: 4096,
    featureSize: 18,
    imageVersion: 2,
    cpuBits: 64,
    ...{ checksumMode: 0x20, checksumSize: 4, blocksPerChecksum: 256 },
    ...{ reseed: 1, bitmapMode: 1 },
  };
  put(image, V2_HEADER, { ...usual, ...values }, "little");
  sealHeader(image, "little");
  return image;
}

function v1(values: Values<typeof V1_HEADER>, rest: readonly Uint8Array[]): Uint8Array {
  const header = new Uint8Array(V1_HEADER_SIZE);
  const usual = { magic: "partclone-image", fsType: "EXTFS", version: "0001", blockSize: 4096 };
  put(header, V1_HEADER, { ...usual, ...values }, "little");
  return concatenate([header, ...rest]);
}

function ntfs(values: Values<typeof NTFSCLONE_HEADER>, rest: Uint8Array): Uint8Array {
  const header = new Uint8Array(56);
  const usual = { magic: "\0ntfsclone-image", major: 10, minor: 0, clusterSize: 4096 };
  put(header, NTFSCLONE_HEADER, { ...usual, dataOffset: 56, ...values }, "little");
  return concatenate([header, rest]);
}

const sizes = (blocks: number, blockSize = 4096) => ({
  blockSize,
  totalBlocks: blocks,
  deviceSize: blocks * blockSize,
});

const partclone: Readonly<Record<string, Claim>> = {
  "200 bytes, a bitmap of 2^40 blocks": { image: v2(sizes(2 ** 40)), outcome: "CORRUPT" },
  "a bitmap of 2 GiB": { image: v2(sizes(2 ** 34)), outcome: "CORRUPT" },
  "a byte map of 16 GiB": { image: v2({ ...sizes(2 ** 34), bitmapMode: 8 }), outcome: "CORRUPT" },
  "no bitmap, 2^51 blocks of a byte": {
    image: v2({ ...sizes(2 ** 51, 1), ...NO_MAP }),
    outcome: "opened",
  },
  "no bitmap, 2^40 blocks, a checksum each": {
    image: v2({ ...sizes(2 ** 40), ...CRC32 }, 20 * KIB),
    outcome: "opened",
  },
  "strips of 2^32 blocks": {
    image: v2({ ...sizes(2 ** 40), ...CRC32, blocksPerChecksum: 2 ** 32 - 1 }, 20 * KIB),
    outcome: "opened",
  },
  "checksums that reach past 2^53": {
    image: v2({ ...sizes(2 ** 50, 1), ...XXH128 }),
    outcome: "CORRUPT",
  },
  "blocks that reach past 2^53": {
    image: v2({ ...sizes(2 ** 42), ...NO_MAP }),
    outcome: "CORRUPT",
  },
  "2^64 - 1 blocks": {
    image: v2({ ...NO_MAP, totalBlocks: 2n ** 64n - 1n, deviceSize: 2n ** 64n - 1n }),
    outcome: "CORRUPT",
  },
  "a block of 64 MiB": {
    image: v2({ ...sizes(4, 64 * MIB), ...CRC32 }, 20 * KIB),
    outcome: "opened",
  },
  "a block of 4 GiB": { image: v2({ ...sizes(1, 2 ** 32 - 1), ...NO_MAP }), outcome: "CORRUPT" },
  "a device of no bytes": {
    image: v2({ ...NO_MAP, totalBlocks: 5, deviceSize: 0 }),
    outcome: "opened",
  },
  "no blocks": { image: v2({ ...NO_MAP, totalBlocks: 0, deviceSize: 2 ** 40 }), outcome: "opened" },
  "0001: a byte map of 2^40 blocks": {
    image: v1(sizes(2 ** 40), [new Uint8Array(40)]),
    outcome: "CORRUPT",
  },
  "0001: two blocks of 64 MiB": {
    image: v1(sizes(2, 64 * MIB), [Uint8Array.of(1, 1), BITMAGIC, new Uint8Array(KIB)]),
    outcome: "opened",
  },
};

const ntfsclone: Readonly<Record<string, Claim>> = {
  "ntfsclone: 2^40 clusters, all in use": {
    image: ntfs(
      { clusters: 2 ** 40, deviceSize: 2 ** 52, inUse: 2n ** 64n - 1n },
      Uint8Array.of(NEXT),
    ),
    outcome: "opened",
  },
  "ntfsclone: one gap of 2^40 clusters": {
    image: ntfs({ clusters: 2 ** 40, deviceSize: 2 ** 52, inUse: 0 }, encodeGap(2 ** 40, "little")),
    outcome: "opened",
  },
  "ntfsclone: 131,072 clusters past the end of no device": {
    image: ntfs({ clusters: 2 ** 40, deviceSize: 0 }, new Uint8Array(128 * KIB).fill(NEXT)),
    outcome: "opened",
  },
  "ntfsclone: commands at byte 2^32": {
    image: ntfs({ clusters: 4, deviceSize: 16384, dataOffset: 2 ** 32 - 1 }, new Uint8Array(9)),
    outcome: "opened",
  },
  "ntfsclone: less than no clusters": {
    image: ntfs({ clusters: -5, deviceSize: 16384 }, new Uint8Array(9)),
    outcome: "CORRUPT",
  },
};

/** Every field that a reader could take a size from, far beyond what the file could hold. */
export const claims: Readonly<Record<string, Claim>> = { ...partclone, ...ntfsclone };
