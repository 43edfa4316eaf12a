import { countPresent, encodeByteMap, presenceOf } from "./bitmap.ts";
import { firstByteCrc32 } from "./checksums.ts";
import { partitionContent } from "./content.ts";
import { type Fixture, type PartcloneV1Params, PRESENT } from "./fixture.ts";
import { fillRandom, mix } from "./random.ts";
import { concatenate, type StoredData, storeBlocks } from "./strips.ts";
import { put } from "./struct.ts";

/** spec/partclone.md, "Version 0001". */
export const V1_HEADER = {
  magic: [0, 15],
  fsType: [15, 15],
  version: [30, 4],
  blockSize: [36, 4],
  deviceSize: [40, 8],
  totalBlocks: [48, 8],
  usedBlocks: [56, 8],
} as const;
export const V1_HEADER_SIZE = 4160;
export const BITMAGIC = new TextEncoder().encode("BiTmAgIc");

export interface V1Contents {
  readonly fsType: string;
  readonly blockSize: number;
  readonly deviceSize: number;
  readonly usedBlocks: number;
  readonly byteMap: Uint8Array;
  readonly partition: Uint8Array;
  /** The bytes after a strip's checksum; empty but in the oldest 64-bit images. */
  readonly padding: (strip: number) => Uint8Array;
}

/** A version 0001 image of a partition. */
export function encodeV1(contents: V1Contents): StoredData & { readonly image: Uint8Array } {
  const { byteMap, blockSize } = contents;
  const header = new Uint8Array(V1_HEADER_SIZE);
  const values = {
    magic: "partclone-image",
    fsType: contents.fsType,
    version: "0001",
    blockSize,
    deviceSize: contents.deviceSize,
    totalBlocks: byteMap.length,
    usedBlocks: contents.usedBlocks,
  };
  put(header, V1_HEADER, values, "little");
  const start = header.length + byteMap.length + BITMAGIC.length;
  const data = storeBlocks(contents.partition, byteMap, blockSize, start, {
    checksum: firstByteCrc32(),
    blocksPerChecksum: 1,
    reseed: false,
    padding: contents.padding,
  });
  return { ...data, image: concatenate([header, byteMap, BITMAGIC, ...data.pieces]) };
}

/** The junk that 64-bit writers before 0.1.0 left behind each checksum (PC1-CHECKSUM-WIDTH). */
function junk(params: PartcloneV1Params): (strip: number) => Uint8Array {
  return (strip) => {
    const bytes = new Uint8Array(params.checksumSize - 4);
    fillRandom(bytes, mix(params.seed ^ 0x64b1, strip));
    return bytes;
  };
}

function expectedBreaks(params: PartcloneV1Params, usedError: number, byteMap: Uint8Array) {
  const broken: Record<string, boolean> = {
    "PC1-USED-COUNT": usedError !== 0,
    "PC1-BYTE-MAP-VALUES": byteMap.some((value) => value > PRESENT),
    "PC1-CHECKSUM-WIDTH": params.checksumSize === 8 && byteMap.includes(PRESENT),
  };
  return Object.keys(broken).filter((id) => broken[id]);
}

export function buildPartcloneV1(
  params: PartcloneV1Params,
  name = `v1 ${params.blockSize} B seed ${params.seed}`,
): Fixture<PartcloneV1Params> {
  const { blockSize, seed } = params;
  const present = presenceOf(params.runs);
  const deviceSize = present.length * blockSize + params.tail;
  const isStored = (block: number) => present[block] === PRESENT;
  const partition = partitionContent(seed, deviceSize, blockSize, isStored);
  const byteMap = encodeByteMap(present, params.otherValues, seed);
  const used = countPresent(present);
  const usedBlocks = Math.max(0, used + params.usedError);
  const { fsType } = params;
  const contents = { fsType, blockSize, deviceSize, usedBlocks, byteMap, partition };
  const { image, stored, strips } = encodeV1({ ...contents, padding: junk(params) });
  // Today's partclone gave up reading the 8-byte checksums.
  const readable = params.checksumSize === 4 || used === 0;
  return {
    name,
    format: params.format,
    params,
    image,
    partition,
    deviceSize,
    blockSize,
    blockCount: present.length,
    present,
    stored,
    strips,
    breaks: expectedBreaks(params, usedBlocks - used, byteMap),
    judges: { chkimg: readable, restore: readable, ntfsclone: false },
  };
}
