import { isExact } from "../bytes/integers.ts";
import type { Rule } from "../image/rules.ts";
import {
  BITMAGIC,
  bitmapModes,
  checksumMode,
  checksumModes,
  isByteOrder,
  V1_HEADER_BYTES,
  type V1Header,
  V2_HEADER_BYTES,
  type V2Header,
  v1Layout,
  v2Layout,
} from "./layouts.ts";

/** partclone 0.3.47's limit (MAX_BLOCK_SIZE). */
const MOST_BLOCK_SIZE = 64 * 2 ** 20;

/** What both formats say about the partition. */
type Sizes = Pick<V1Header, "deviceSize" | "totalBlocks" | "blockSize">;

const badBlockSize = ({ blockSize }: Sizes) =>
  blockSize >= 1 && blockSize <= MOST_BLOCK_SIZE
    ? null
    : `the block size is ${blockSize}, not 1 to ${MOST_BLOCK_SIZE}`;

/** `imageSize`: of an image that stores every block. */
const beyondNumbers = ({ deviceSize, totalBlocks, blockSize }: Sizes, imageSize: bigint) =>
  isExact(deviceSize) && isExact(imageSize)
    ? null
    : `device size ${deviceSize} or ${totalBlocks} blocks of ${blockSize} bytes, with their checksums, exceed 2^53 bytes, which no partition reaches`;

/** Header, a byte a block, and blocks with checksums of 8 bytes, the widest (PC1-CHECKSUM-WIDTH). */
const largestV1 = ({ totalBlocks, blockSize }: V1Header) =>
  BigInt(V1_HEADER_BYTES + BITMAGIC.length) + totalBlocks * BigInt(1 + blockSize + 8);

function largestV2({ totalBlocks, blockSize, blocksPerChecksum, checksumSize }: V2Header): bigint {
  const perStrip = BigInt(blocksPerChecksum);
  const strips = perStrip === 0n ? 0n : (totalBlocks + perStrip - 1n) / perStrip;
  const map = BigInt(V2_HEADER_BYTES + BITMAGIC.length) + totalBlocks;
  return map + totalBlocks * BigInt(blockSize) + strips * BigInt(checksumSize);
}

const tooSmallDevice = ({ deviceSize, totalBlocks, blockSize }: Sizes) =>
  totalBlocks * BigInt(blockSize) <= deviceSize
    ? null
    : `${totalBlocks} blocks of ${blockSize} bytes are more than the device's ${deviceSize} bytes; what is past the device's end is cut`;

/** Judged before anything is read past the header. */
export const v1HeaderRules: readonly Rule<V1Header>[] = [
  { id: "PC1-BLOCK-SIZE", reading: "refused", at: v1Layout.blockSize.at, broken: badBlockSize },
  {
    id: "PC1-RANGE",
    reading: "refused",
    at: v1Layout.deviceSize.at,
    broken: (header) => beyondNumbers(header, largestV1(header)),
  },
  { id: "PC1-DEVICE-SIZE", reading: "warned", at: v1Layout.deviceSize.at, broken: tooSmallDevice },
];

/** Judged before anything is read past the header; the header's own checksum first. */
export const v2HeaderRules: readonly Rule<V2Header>[] = [
  {
    id: "PC2-BYTE-ORDER",
    reading: "refused",
    at: v2Layout.byteOrder.at,
    broken: ({ byteOrder }) =>
      isByteOrder(byteOrder)
        ? null
        : "the byte-order marker is neither DE C0 (little-endian) nor C0 DE (big-endian)",
  },
  {
    id: "PC2-HEADER-CRC",
    reading: "refused",
    at: v2Layout.headerCrc.at,
    broken: ({ headerCrc, computedCrc }) =>
      headerCrc === computedCrc
        ? null
        : `the header's checksum is ${hex(computedCrc)}, but ${hex(headerCrc)} is stored: the header is damaged`,
  },
  {
    id: "PC2-FEATURE-SIZE",
    reading: "warned",
    at: v2Layout.featureSize.at,
    broken: ({ featureSize }) =>
      featureSize === 18 ? null : `the feature section says ${featureSize} bytes, not 18`,
  },
  {
    id: "PC2-IMAGE-VERSION",
    reading: "warned",
    at: v2Layout.imageVersion.at,
    broken: ({ imageVersion }) =>
      imageVersion === 2 ? null : `the binary image version is ${imageVersion}, not 2`,
  },
  {
    id: "PC2-CPU-BITS",
    reading: "warned",
    at: v2Layout.cpuBits.at,
    broken: ({ cpuBits }) =>
      isWordSize(cpuBits) ? null : `the writer's cpu bits are ${cpuBits}, not 32 or 64`,
  },
  {
    id: "PC2-CHECKSUM-MODE",
    reading: "refused",
    at: v2Layout.checksumMode.at,
    broken: ({ checksumMode: code }) =>
      checksumMode(code) ? null : `checksum mode ${hex(code)} is none of ${modeList()}`,
  },
  {
    id: "PC2-CHECKSUM-SIZE",
    reading: "refused",
    at: v2Layout.checksumSize.at,
    broken: ({ checksumMode: code, checksumSize }) => {
      const mode = checksumMode(code);
      return !mode || mode.size === checksumSize
        ? null
        : `a ${mode.name} checksum has ${mode.size} bytes, the header says ${checksumSize}`;
    },
  },
  {
    id: "PC2-CHECKSUM-BLOCKS",
    reading: "refused",
    at: v2Layout.blocksPerChecksum.at,
    broken: ({ checksumMode: code, blocksPerChecksum }) =>
      code === 0 || blocksPerChecksum > 0
        ? null
        : "there is a checksum mode, but no blocks per checksum",
  },
  {
    id: "PC2-RESEED",
    reading: "warned",
    at: v2Layout.reseed.at,
    broken: ({ reseed }) =>
      reseed <= 1 ? null : `the reseed flag is ${reseed}, not 0 or 1; it is taken as set`,
  },
  {
    id: "PC2-BITMAP-MODE",
    reading: "refused",
    at: v2Layout.bitmapMode.at,
    broken: ({ bitmapMode: mode }) =>
      (Object.values(bitmapModes) as number[]).includes(mode)
        ? null
        : `bitmap mode ${hex(mode)} is none of 0x0 (none), 0x1 (bits), 0x8 (bytes)`,
  },
  { id: "PC2-BLOCK-SIZE", reading: "refused", at: v2Layout.blockSize.at, broken: badBlockSize },
  {
    id: "PC2-RANGE",
    reading: "refused",
    at: v2Layout.deviceSize.at,
    broken: (header) => beyondNumbers(header, largestV2(header)),
  },
  { id: "PC2-DEVICE-SIZE", reading: "warned", at: v2Layout.deviceSize.at, broken: tooSmallDevice },
  {
    id: "PC2-USED-SUPERBLOCK",
    reading: "warned",
    at: v2Layout.usedBySuperblock.at,
    broken: ({ usedBySuperblock, totalBlocks }) =>
      usedBySuperblock <= totalBlocks
        ? null
        : `used blocks by the superblock are ${usedBySuperblock} of ${totalBlocks}; the bitmap is believed`,
  },
  {
    id: "PC2-BIG-ENDIAN-TAIL",
    reading: "refused",
    at: v2Layout.totalBlocks.at,
    broken: (header) => {
      const lost = unknownBlocks(header);
      return lost
        ? `a big-endian writer cut off the bitmap's last word, so nobody can know which of the blocks ${lost.from} to ${lost.to} are stored`
        : null;
    },
  },
];

/**
 * A big-endian writer dumps its bitmap as an array of words and cuts it at ceil(total/8) bytes:
 * the bits of the last word's first blocks are lost with its last bytes.
 */
function unknownBlocks(header: V2Header): { from: number; to: number } | null {
  if (header.littleEndian || header.bitmapMode !== bitmapModes.bits) return null;
  const total = Number(header.totalBlocks);
  if (!isWordSize(header.cpuBits)) return total === 0 ? null : { from: 0, to: total - 1 };
  const wordBytes = header.cpuBits / 8;
  const kept = Math.ceil(total / 8) % wordBytes;
  if (kept === 0) return null;
  const from = Math.floor(total / header.cpuBits) * header.cpuBits;
  return { from, to: Math.min(from + (wordBytes - kept) * 8, total) - 1 };
}

function isWordSize(cpuBits: number): boolean {
  return cpuBits === 32 || cpuBits === 64;
}

function modeList(): string {
  return Object.entries(checksumModes)
    .map(([code, { name }]) => `${hex(Number(code))} (${name})`)
    .join(", ");
}

export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
