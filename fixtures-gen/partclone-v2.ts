import {
  type BitmapShape,
  countPresent,
  encodeBits,
  encodeByteMap,
  hasStrayBits,
  knownPresence,
  presenceOf,
} from "./bitmap.ts";
import { createChecksum, encodeCrc32, partcloneCrc32 } from "./checksums.ts";
import { partitionContent } from "./content.ts";
import {
  type BitmapMode,
  type ByteOrder,
  type ChecksumMode,
  type Fixture,
  type PartcloneV2Params,
  PRESENT,
  UNKNOWN,
} from "./fixture.ts";
import { BITMAGIC } from "./partclone-v1.ts";
import { concatenate, type StoredData, storeBlocks } from "./strips.ts";
import { put } from "./struct.ts";
import { writeVolume } from "./volumes.ts";

/** spec/partclone.md, "Version 0002". */
export const V2_HEADER = {
  magic: [0, 16],
  toolVersion: [16, 14],
  version: [30, 4],
  byteOrder: [34, 2],
  fsType: [36, 16],
  deviceSize: [52, 8],
  totalBlocks: [60, 8],
  usedSuperblock: [68, 8],
  usedBitmap: [76, 8],
  blockSize: [84, 4],
  featureSize: [88, 4],
  imageVersion: [92, 2],
  cpuBits: [94, 2],
  checksumMode: [96, 2],
  checksumSize: [98, 2],
  blocksPerChecksum: [100, 4],
  reseed: [104, 1],
  bitmapMode: [105, 1],
  crc: [106, 4],
} as const;
export const V2_HEADER_SIZE = 110;
/** In the writer's byte order it is DE C0 or C0 DE. */
export const BYTE_ORDER_MARK = 0xc0de;

const CHECKSUM_MODES: Record<ChecksumMode, number> = {
  none: 0x00,
  crc32: 0x20,
  xxh64: 0x30,
  xxh128: 0x31,
};
const BITMAP_MODES: Record<BitmapMode, number> = { none: 0x00, bits: 0x01, bytes: 0x08 };

export interface V2Contents {
  readonly toolVersion: string;
  readonly fsType: string;
  readonly byteOrder: ByteOrder;
  readonly cpuBits: number;
  readonly blockSize: number;
  readonly deviceSize: number;
  readonly usedSuperblock: number;
  readonly usedBitmap: number;
  readonly checksumMode: ChecksumMode;
  readonly blocksPerChecksum: number;
  readonly reseed: boolean;
  readonly bitmapMode: BitmapMode;
  /** The bitmap in the file's form: empty, bits, or bytes. */
  readonly bitmap: Uint8Array;
  /** One byte a block, what the writer knew. */
  readonly present: Uint8Array;
  readonly partition: Uint8Array;
}

/** Stores the header's checksum; to be called after every change of a field. */
export function sealHeader(header: Uint8Array, order: ByteOrder): void {
  const crc = partcloneCrc32(header.subarray(0, V2_HEADER.crc[0]));
  put(header, V2_HEADER, { crc }, order);
}

function encodeHeader(contents: V2Contents, checksumSize: number): Uint8Array {
  const header = new Uint8Array(V2_HEADER_SIZE);
  const { toolVersion, fsType, deviceSize, usedSuperblock, usedBitmap } = contents;
  const values = {
    magic: "partclone-image",
    toolVersion,
    version: "0002",
    byteOrder: BYTE_ORDER_MARK,
    fsType,
    deviceSize,
    totalBlocks: contents.present.length,
    usedSuperblock,
    usedBitmap,
    blockSize: contents.blockSize,
    featureSize: 18,
    imageVersion: 2,
    cpuBits: contents.cpuBits,
    checksumMode: CHECKSUM_MODES[contents.checksumMode],
    checksumSize,
    blocksPerChecksum: contents.blocksPerChecksum,
    reseed: contents.reseed ? 1 : 0,
    bitmapMode: BITMAP_MODES[contents.bitmapMode],
  };
  put(header, V2_HEADER, values, contents.byteOrder);
  sealHeader(header, contents.byteOrder);
  return header;
}

/** The bitmap and what ends it: a checksum after bits, a word after bytes, nothing after nothing. */
function encodeBitmapSection(contents: V2Contents): readonly Uint8Array[] {
  const { bitmap, byteOrder } = contents;
  switch (contents.bitmapMode) {
    case "none":
      return [];
    case "bits":
      return [bitmap, encodeCrc32(partcloneCrc32(bitmap), byteOrder)];
    case "bytes":
      return [bitmap, BITMAGIC];
  }
}

/** A version 0002 image of a partition. */
export function encodeV2(contents: V2Contents): StoredData & { readonly image: Uint8Array } {
  const { checksumMode, byteOrder, partition, present } = contents;
  const checksum = createChecksum(checksumMode, byteOrder);
  const before = [encodeHeader(contents, checksum.size), ...encodeBitmapSection(contents)];
  const start = before.reduce((sum, piece) => sum + piece.length, 0);
  const data = storeBlocks(partition, present, contents.blockSize, start, {
    checksum,
    blocksPerChecksum: checksumMode === "none" ? 0 : contents.blocksPerChecksum,
    reseed: contents.reseed,
    padding: () => new Uint8Array(0),
  });
  return { ...data, image: concatenate([...before, ...data.pieces]) };
}

function bitmapShape(params: PartcloneV2Params): BitmapShape {
  const { byteOrder: order, cpuBits, strayBits } = params;
  return { order, cpuBits, strayBits };
}

function encodeBitmap(params: PartcloneV2Params, present: Uint8Array): Uint8Array {
  switch (params.bitmapMode) {
    case "none":
      return new Uint8Array(0);
    case "bits":
      return encodeBits(present, bitmapShape(params));
    case "bytes":
      return encodeByteMap(present, params.otherValues, params.seed);
  }
}

interface Known {
  readonly params: PartcloneV2Params;
  /** What the writer knew, and what its image tells. */
  readonly present: Uint8Array;
  readonly known: Uint8Array;
  readonly used: number;
  readonly usedSuperblock: number;
  readonly usedBitmap: number;
  readonly bitmap: Uint8Array;
}

function expectedBreaks({ params, present, known, bitmap, ...counts }: Known): readonly string[] {
  const bits = params.bitmapMode === "bits";
  const broken: Record<string, boolean> = {
    "PC2-CHECKSUM-BLOCKS": params.checksumMode !== "none" && params.blocksPerChecksum === 0,
    "PC2-USED-SUPERBLOCK": counts.usedSuperblock > present.length,
    "PC2-USED-BITMAP": counts.usedBitmap !== counts.used && !known.includes(UNKNOWN),
    "PC2-STRAY-BITS": bits && hasStrayBits(present, bitmapShape(params)),
    "PC2-BYTE-MAP-VALUES": !bits && bitmap.some((value) => value > PRESENT),
    "PC2-BIG-ENDIAN-TAIL": known.includes(UNKNOWN),
  };
  return Object.keys(broken).filter((id) => broken[id]);
}

/** Which parts of partclone 0.3.23 can read it: no XXH, no other byte order. */
function judgesOf({ params, used, usedSuperblock }: Known): Fixture["judges"] {
  const readable = params.byteOrder === "little" && ["none", "crc32"].includes(params.checksumMode);
  // Without checksums this chkimg only seeks to the last block, and believes the superblock's count.
  const counts = params.checksumMode !== "none" || (usedSuperblock > 0 && usedSuperblock <= used);
  return { chkimg: readable && counts, restore: readable, ntfsclone: false };
}

export function buildPartcloneV2(
  params: PartcloneV2Params,
  name = `v2 ${params.checksumMode} ${params.blockSize} B seed ${params.seed}`,
): Fixture<PartcloneV2Params> {
  const { blockSize } = params;
  const present = presenceOf(params.runs);
  if (params.bitmapMode === "none") present.fill(PRESENT);
  const deviceSize = present.length * blockSize + params.tail;
  const isStored = (block: number) => present[block] === PRESENT;
  const partition = partitionContent(params.seed, deviceSize, blockSize, isStored);
  if (params.volume) writeVolume(partition, params.volume, isStored);
  const bitmap = encodeBitmap(params, present);
  const used = countPresent(present);
  const usedSuperblock = Math.max(0, used + params.usedSuperblockError);
  const usedBitmap = Math.max(0, used + params.usedBitmapError);
  const counts = { usedSuperblock, usedBitmap };
  const toolVersion = "0.3.23";
  const contents = { ...params, ...counts, toolVersion, deviceSize, bitmap, present, partition };
  const { image, stored, strips } = encodeV2(contents);
  const cut = params.bitmapMode === "bits" ? knownPresence(present, bitmapShape(params)) : present;
  const known = { params, present, known: cut, used, ...counts, bitmap };
  return {
    name,
    format: params.format,
    params,
    image,
    partition,
    deviceSize,
    blockSize,
    blockCount: present.length,
    present: cut,
    stored,
    strips,
    breaks: expectedBreaks(known),
    judges: judgesOf(known),
  };
}
