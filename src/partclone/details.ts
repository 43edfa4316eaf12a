import { counted, fullSize, grouped, humanSize } from "../bytes/sizes.ts";
import type { Detail } from "../image/backup-image.ts";
import type { Description, Layout } from "./description.ts";
import { bitmapModes, checksumMode, type V1Header, type V2Header } from "./layouts.ts";

const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;

const blocks = (name: string, count: bigint, blockSize: number, remark = ""): Detail => ({
  name,
  value: count,
  text: `${grouped(count)} (${humanSize(Number(count) * blockSize)})${remark}`,
});

/** The dump's lines, in the order in which the header has them. */
export function details({ header, layout }: Description): Detail[] {
  const lines = header.generation === 1 ? v1Details(header, layout) : v2Details(header, layout);
  const order = header.generation === 1 || header.littleEndian ? "little-endian" : "big-endian";
  const rest = layout ? layoutDetails(layout) : [];
  return [...lines, ...rest, { name: "byte order", value: order }];
}

function v1Details(header: V1Header, layout: Layout | null): Detail[] {
  const { blockSize } = header;
  return [
    { name: "fs type", value: header.fsType },
    { name: "fs total size", value: header.deviceSize, text: fullSize(Number(header.deviceSize)) },
    { name: "fs total blocks", value: header.totalBlocks, text: grouped(header.totalBlocks) },
    blocks("fs used blocks", header.usedBlocks, blockSize, "     by the header"),
    ...usedByBitmap(layout, blockSize),
    { name: "fs block size", value: blockSize },
    { name: "image version", value: 1 },
    {
      name: "checksum mode",
      value: "CRC32",
      text: "CRC32 (of format 0001: each block's first byte)",
    },
    ...(layout ? [{ name: "checksum size", value: layout.geometry.checksumSize }] : []),
    { name: "checksum blocks", value: 1 },
    { name: "checksum reseed", value: false },
    { name: "bitmap mode", value: "BYTE" },
  ];
}

function usedByBitmap(layout: Layout | null, blockSize: number): Detail[] {
  if (!layout) return [];
  const used = BigInt(layout.geometry.usedBlocks);
  return [blocks("fs_used_bitmap", used, blockSize, "     counted in the bitmap")];
}

function v2Details(header: V2Header, layout: Layout | null): Detail[] {
  const { blockSize } = header;
  const mode = Object.entries(bitmapModes).find(([, code]) => code === header.bitmapMode)?.[0];
  return [
    { name: "partclone version", value: header.toolVersion },
    { name: "fs type", value: header.fsType },
    { name: "fs total size", value: header.deviceSize, text: fullSize(Number(header.deviceSize)) },
    { name: "fs total blocks", value: header.totalBlocks, text: grouped(header.totalBlocks) },
    blocks("fs used blocks", header.usedBySuperblock, blockSize, "     by the superblock"),
    blocks("fs_used_bitmap", header.usedByBitmap, blockSize, usedRemark(header, layout)),
    { name: "fs block size", value: blockSize },
    { name: "image version", value: header.imageVersion },
    { name: "cpu bits", value: header.cpuBits },
    {
      name: "checksum mode",
      value: checksumMode(header.checksumMode)?.name ?? `0x${header.checksumMode.toString(16)}`,
    },
    { name: "checksum size", value: header.checksumSize },
    { name: "checksum blocks", value: header.blocksPerChecksum },
    { name: "checksum reseed", value: header.reseed !== 0 },
    { name: "bitmap mode", value: bitmapModeName(mode, header.bitmapMode) },
    { name: "header_crc32", value: hex(header.headerCrc) },
  ];
}

function bitmapModeName(mode: string | undefined, code: number): string {
  const names: Readonly<Record<string, string>> = { none: "NONE", bits: "BIT", bytes: "BYTE" };
  return names[mode ?? ""] ?? `0x${code.toString(16)}`;
}

function usedRemark(header: V2Header, layout: Layout | null): string {
  const counted = layout?.geometry.usedBlocks;
  return counted === undefined || BigInt(counted) === header.usedByBitmap
    ? "     by the bitmap"
    : `     by the header; ${grouped(counted)} counted in the bitmap`;
}

function layoutDetails({ geometry, bitmap, map }: Layout): Detail[] {
  const bytes = map.endOffset - map.mapOffset;
  const { fine, indexSize } = bitmap?.parts ?? { fine: [], indexSize: 0 };
  return [
    { name: "bitmap", value: bytes, text: fullSize(bytes) },
    ...(map.storedCrc === null ? [] : [{ name: "bitmap_crc32", value: hex(map.storedCrc) }]),
    {
      name: "blocks_section",
      value: geometry.dataStart,
      text: `at ${grouped(geometry.dataStart)} in img file`,
    },
    { name: "block_offset_size", value: indexSize },
    { name: "block_offsets", value: fine.length, text: counted(fine.length, "instance") },
  ];
}
