import type { Decoded, Layout } from "../bytes/struct.ts";

/** The 15 bytes at 0 of both formats (PC1-MAGIC, PC2-MAGIC). */
export const MAGIC = "partclone-image";
/** How people call the format of an image. */
export const formatName = ({ generation }: { readonly generation: 1 | 2 }): string =>
  `partclone 000${generation}`;

/** Where both formats keep their version, as four digits (PC1-VERSION, PC2-VERSION). */
export const VERSION_AT = 30;
/** Ends a byte map (PC1-BITMAGIC, PC2-BITMAGIC). */
export const BITMAGIC = "BiTmAgIc";

export const v1Layout = {
  magic: { at: 0, type: "text", size: 15 },
  fsType: { at: 15, type: "text", size: 15 },
  version: { at: 30, type: "text", size: 4 },
  blockSize: { at: 36, type: "u32" },
  deviceSize: { at: 40, type: "u64" },
  totalBlocks: { at: 48, type: "u64" },
  usedBlocks: { at: 56, type: "u64" },
} as const satisfies Layout;
/** 64 bytes of fields and 4096 unused ones. */
export const V1_HEADER_BYTES = 4160;

export const v2Layout = {
  magic: { at: 0, type: "text", size: 16 },
  toolVersion: { at: 16, type: "text", size: 14 },
  version: { at: 30, type: "text", size: 4 },
  byteOrder: { at: 34, type: "bytes", size: 2 },
  fsType: { at: 36, type: "text", size: 16 },
  deviceSize: { at: 52, type: "u64" },
  totalBlocks: { at: 60, type: "u64" },
  usedBySuperblock: { at: 68, type: "u64" },
  usedByBitmap: { at: 76, type: "u64" },
  blockSize: { at: 84, type: "u32" },
  featureSize: { at: 88, type: "u32" },
  imageVersion: { at: 92, type: "u16" },
  cpuBits: { at: 94, type: "u16" },
  checksumMode: { at: 96, type: "u16" },
  checksumSize: { at: 98, type: "u16" },
  blocksPerChecksum: { at: 100, type: "u32" },
  reseed: { at: 104, type: "u8" },
  bitmapMode: { at: 105, type: "u8" },
  headerCrc: { at: 106, type: "u32" },
} as const satisfies Layout;
export const V2_HEADER_BYTES = 110;
/** `DE C0` from a little-endian writer, `C0 DE` from a big-endian one (PC2-BYTE-ORDER). */
export function isByteOrder([first, second]: Uint8Array): boolean {
  return (first === 0xde && second === 0xc0) || (first === 0xc0 && second === 0xde);
}

/** The header's CRC covers the bytes before it (PC2-HEADER-CRC). */
export const V2_HEADER_CRC_AT = v2Layout.headerCrc.at;

/** The header as the file has it; rules judge it. */
export type V1Header = Decoded<typeof v1Layout> & { readonly generation: 1 };
export type V2Header = Decoded<typeof v2Layout> & {
  readonly generation: 2;
  readonly littleEndian: boolean;
  /** The CRC that bytes 0 to 105 really have. */
  readonly computedCrc: number;
};
export type Header = V1Header | V2Header;

/** `bitmap mode` values (PC2-BITMAP-MODE). */
export const bitmapModes = { none: 0x00, bits: 0x01, bytes: 0x08 } as const;

/** `checksum mode` values and the bytes each stores (PC2-CHECKSUM-MODE, PC2-CHECKSUM-SIZE). */
export const checksumModes = {
  0: { name: "NONE", size: 0 },
  32: { name: "CRC32", size: 4 },
  48: { name: "XXH64", size: 8 },
  49: { name: "XXH128", size: 16 },
} as const;
export type ChecksumName = (typeof checksumModes)[keyof typeof checksumModes]["name"];

export function checksumMode(code: number): { name: ChecksumName; size: number } | undefined {
  return (checksumModes as Record<number, { name: ChecksumName; size: number }>)[code];
}
