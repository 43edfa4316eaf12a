/** Images that no tool at hand makes: written as spec/partclone.md says, piece by piece. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { crc32 } from "node:zlib";
import {
  type Checksum,
  createChecksum,
  encodeCrc32,
  firstByteCrc32,
} from "../fixtures-gen/checksums.ts";
import type { ChecksumMode } from "../fixtures-gen/fixture.ts";
import { BITMAGIC, V1_HEADER, V1_HEADER_SIZE } from "../fixtures-gen/partclone-v1.ts";
import {
  BYTE_ORDER_MARK,
  sealHeader,
  V2_HEADER,
  V2_HEADER_SIZE,
} from "../fixtures-gen/partclone-v2.ts";
import { put } from "../fixtures-gen/struct.ts";
import type { Lab } from "./lab.ts";
import { ext4, type Volume, volumeBytes } from "./volumes.ts";

export const BLOCK = 4096;
const CHUNK = 2 ** 20;
const GIB = 2 ** 30;
const V2_MODES: Readonly<Record<ChecksumMode, number>> = {
  none: 0,
  crc32: 32,
  xxh64: 48,
  xxh128: 49,
};

interface V2 {
  readonly blocks: number;
  readonly used: number;
  /** The bitmap's bytes are these again and again. */
  readonly pattern: Uint8Array;
  readonly mode: ChecksumMode;
  readonly blocksPerChecksum: number;
  /** Where the stored blocks' bytes come from, in order; null: a hole of the right size. */
  readonly data: string | null;
}

/** The file under this name, made if it is not there. */
function once(lab: Lab, name: string, make: (fd: number) => void): string {
  const path = lab.imagePath(name);
  return lab.once(name, () => {
    if (existsSync(path)) return path;
    const fd = openSync(path, "w");
    try {
      make(fd);
      fsyncSync(fd);
    } catch (error) {
      rmSync(path);
      throw error;
    } finally {
      closeSync(fd);
    }
    return path;
  });
}

function v2Header({ blocks, used, mode, blocksPerChecksum }: V2): Uint8Array {
  const header = new Uint8Array(V2_HEADER_SIZE);
  const values = {
    magic: "partclone-image",
    toolVersion: "0.3.47",
    version: "0002",
    byteOrder: BYTE_ORDER_MARK,
    fsType: "EXTFS",
    deviceSize: blocks * BLOCK,
    totalBlocks: blocks,
    usedSuperblock: used,
    usedBitmap: used,
    blockSize: BLOCK,
    featureSize: 18,
    imageVersion: 2,
    cpuBits: 64,
    checksumMode: V2_MODES[mode],
    checksumSize: createChecksum(mode, "little").size,
    blocksPerChecksum,
    reseed: 1,
    bitmapMode: 1,
  };
  put(header, V2_HEADER, values, "little");
  sealHeader(header, "little");
  return header;
}

/** Stored blocks in the image's order, a checksum behind each strip. */
function writeData(
  fd: number,
  from: string,
  used: number,
  blocks: number,
  sum: Checksum,
  reseed: boolean,
) {
  const source = openSync(from, "r");
  const strip = new Uint8Array(blocks * BLOCK);
  for (let block = 0; block < used; block += blocks) {
    const part = strip.subarray(0, Math.min(blocks, used - block) * BLOCK);
    const got = readSync(source, part, 0, part.length, block * BLOCK);
    if (got !== part.length) throw new Error(`${from} has no more than ${block} blocks`);
    if (reseed) sum.reset();
    sum.update(part);
    writeSync(fd, part);
    writeSync(fd, sum.bytes());
  }
  closeSync(source);
}

function writeV2(fd: number, image: V2): void {
  writeSync(fd, v2Header(image));
  const bytes = image.blocks / 8;
  let crc = 0;
  for (let at = 0; at < bytes; at += image.pattern.length) {
    const part = image.pattern.subarray(0, bytes - at);
    crc = crc32(part, crc);
    writeSync(fd, part);
  }
  writeSync(fd, encodeCrc32(~crc >>> 0, "little"));
  const sum = createChecksum(image.mode, "little");
  if (image.data !== null) {
    writeData(fd, image.data, image.used, image.blocksPerChecksum, sum, true);
    return;
  }
  const strips = Math.ceil(image.used / image.blocksPerChecksum);
  ftruncateSync(fd, V2_HEADER_SIZE + bytes + 4 + image.used * BLOCK + strips * sum.size);
}

const full = (): Uint8Array => new Uint8Array(CHUNK).fill(0xff);

/** Runs of 8 to 64 blocks, as often absent as present: the same megabyte of bitmap over and over. */
function mixedPattern(): Uint8Array {
  const pattern = new Uint8Array(CHUNK);
  let state = 1;
  for (let at = 0, value = 0xff; at < CHUNK; value ^= 0xff) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const end = Math.min(CHUNK, at + 1 + (state >>> 29));
    pattern.fill(value, at, end);
    at = end;
  }
  return pattern;
}

function populationOf(pattern: Uint8Array): number {
  return pattern.reduce((sum, byte) => sum + (byte === 0xff ? 8 : 0), 0);
}

/** Format 0001 of the whole ext4 volume: four bytes of checksum after each block. */
export function v1(lab: Lab): Volume {
  const { raw } = ext4(lab);
  const blocks = volumeBytes(lab) / BLOCK;
  const image = once(lab, "v1.img", (fd) => {
    const header = new Uint8Array(V1_HEADER_SIZE);
    const sizes = { deviceSize: blocks * BLOCK, totalBlocks: blocks, usedBlocks: blocks };
    const names = { magic: "partclone-image", fsType: "EXTFS", version: "0001" };
    put(header, V1_HEADER, { ...names, ...sizes, blockSize: BLOCK }, "little");
    writeSync(fd, header);
    writeSync(fd, new Uint8Array(blocks).fill(1));
    writeSync(fd, BITMAGIC);
    writeData(fd, raw, blocks, 1, firstByteCrc32(), false);
  });
  return { raw, image, program: "vpartclone" };
}

/** What Clonezilla writes since April 2026: an XXH128 after each 10 MiB, each begun anew. */
export function xxh128(lab: Lab): Volume {
  const { raw } = ext4(lab);
  const image = xxh128Of(lab, "xxh128.img", volumeBytes(lab) / BLOCK);
  return { raw, image, program: "vpartclone" };
}

/** Of a partition of one MiB: what starting up costs. */
export const smallXxh128 = (lab: Lab): string => xxh128Of(lab, "xxh128-small.img", CHUNK / BLOCK);

function xxh128Of(lab: Lab, name: string, blocks: number): string {
  const { raw } = ext4(lab);
  const rest = { pattern: full(), mode: "xxh128", blocksPerChecksum: 2560, data: raw } as const;
  return once(lab, name, (fd) => writeV2(fd, { blocks, used: blocks, ...rest }));
}

/** Every other block is absent: as many runs as a bitmap can have. */
export function fragmented(lab: Lab): Volume {
  const { raw } = ext4(lab);
  const blocks = volumeBytes(lab) / BLOCK;
  const image = once(lab, "fragmented.img", (fd) =>
    writeV2(fd, {
      blocks,
      used: blocks / 2,
      pattern: new Uint8Array(CHUNK).fill(0x55),
      mode: "crc32",
      blocksPerChecksum: 256,
      data: raw,
    }),
  );
  return { raw, image, program: "vpartclone" };
}

export const usedOfSparse = (lab: Lab): number => volumeBytes(lab) / 2;

/** 64 GiB of which 1 GiB is used, 1 MiB at a time. */
export function sparse(lab: Lab): string {
  const { raw } = ext4(lab);
  const used = usedOfSparse(lab) / BLOCK;
  const runBytes = CHUNK / BLOCK / 8;
  const pattern = new Uint8Array(runBytes * 64);
  pattern.fill(0xff, 0, runBytes);
  return once(lab, "sparse.img", (fd) =>
    writeV2(fd, {
      blocks: used * 64,
      used,
      pattern,
      mode: "crc32",
      blocksPerChecksum: 256,
      data: raw,
    }),
  );
}

/** A partition of any size from 32 GiB on, or of 1 GiB, half used; its data is one hole. */
export function scaled(lab: Lab, bytes: number): string {
  const blocks = bytes / BLOCK;
  const whole = mixedPattern();
  const pattern = whole.subarray(0, Math.min(CHUNK, blocks / 8));
  const used = populationOf(pattern) * (blocks / 8 / pattern.length);
  return once(lab, `scaled-${bytes / GIB}.img`, (fd) =>
    writeV2(fd, { blocks, used, pattern, mode: "crc32", blocksPerChecksum: 256, data: null }),
  );
}
