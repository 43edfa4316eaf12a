import type { BigIntStats } from "node:fs";
import { BlockIO } from "../image/block-io.ts";
import type { Image } from "../image/image.ts";
import type { ServedFile } from "./served-file.ts";

/** FUS-LSEEK: holes count in pieces of this size, at multiples of it; smaller ones are data. */
export const HOLE_GRAIN = 65536;

const USUAL_BLOCK_SIZES = { min: 512, max: 2 ** 20 } as const;

/** What the partition's file takes over from its image's file. */
export type ImageStatus = Pick<
  BigIntStats,
  "mode" | "uid" | "gid" | "atimeNs" | "mtimeNs" | "ctimeNs"
>;

/** What is known of an image's holes is known at once. */
interface HoleMap {
  nextData(offset: number): number | null;
  nextHole(offset: number): number;
}

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Blocks from `block` on that are all stored or all absent. */
function stretchAt(image: Image, block: number): { isStored: boolean; end: number } {
  const { blockCount } = image;
  const first = image.runAt(block, blockCount - block);
  const isStored = first.stored !== null;
  let end = block + first.count;
  while (end < blockCount) {
    const run = image.runAt(end, blockCount - end);
    if ((run.stored !== null) !== isStored) break;
    end += run.count;
  }
  return { isStored, end };
}

const grainAt = (offset: number): number => offset - (offset % HOLE_GRAIN);
const grainFrom = (offset: number): number => Math.ceil(offset / HOLE_GRAIN) * HOLE_GRAIN;

/**
 * The first grain at or after `grain` without a stored block; the device's end if there is none.
 * Looks at each grain once, not at each run: in a hostile bitmap every block begins a new one.
 */
function nextEmptyGrain(image: Image, grain: number): number {
  const { blockSize, blockCount, deviceSize } = image;
  let at = grain;
  while (at < deviceSize) {
    const block = Math.floor(at / blockSize);
    // Bytes past the last block are zeros.
    if (block >= blockCount) return at;
    const { isStored, end } = stretchAt(image, block);
    if (isStored) at = grainFrom(end * blockSize);
    else if (end === blockCount || end * blockSize - at >= HOLE_GRAIN) return at;
    else at += HOLE_GRAIN;
  }
  return deviceSize;
}

/** The first grain at or after `grain` with a stored block; null if there is none. */
function nextFilledGrain(image: Image, grain: number): number | null {
  const { blockSize, blockCount, deviceSize } = image;
  const block = Math.floor(grain / blockSize);
  if (block >= blockCount) return null;
  const { isStored, end } = stretchAt(image, block);
  const stored = isStored ? block : end;
  // A damaged header can have blocks past the device's end.
  const isThere = stored < blockCount && stored * blockSize < deviceSize;
  return isThere ? Math.max(grain, grainAt(stored * blockSize)) : null;
}

/**
 * The holes of a partition. Remembers the last answer: clients ask for every few megabytes of a
 * range, and each time the search would go through all the short runs up to its end again.
 */
function holeMap(image: Image): HoleMap {
  let data: Stretch = { start: 0, end: 0 };
  let hole: Stretch = { start: 0, end: 0 };
  const within = ({ start, end }: Stretch, offset: number) => start <= offset && offset < end;
  return {
    nextData(offset) {
      if (within(data, offset)) return offset;
      if (within(hole, offset)) return hole.end === image.deviceSize ? null : hole.end;
      const found = nextFilledGrain(image, grainAt(offset));
      if (found === null || found > offset)
        hole = { start: offset, end: found ?? image.deviceSize };
      return found === null ? null : Math.max(offset, found);
    },
    nextHole(offset) {
      if (within(hole, offset)) return offset;
      if (within(data, offset)) return data.end;
      const found = Math.max(offset, nextEmptyGrain(image, grainAt(offset)));
      if (found > offset) data = { start: offset, end: found };
      return found;
    },
  };
}

/**
 * What stat says is a good amount to read at once, and programs allocate: a power of two that the
 * kernel can make something of, whatever the image says.
 */
function usualBlockSize(blockSize: number): number {
  const { min, max } = USUAL_BLOCK_SIZES;
  return Math.min(max, Math.max(min, 2 ** Math.floor(Math.log2(blockSize))));
}

export type PartitionFile = Omit<ServedFile, keyof HoleMap> & HoleMap;

/** The partition in an image as the one file of a mount. */
export function partitionFile(image: Image, name: string, status: ImageStatus): PartitionFile {
  const io = new BlockIO(image);
  return {
    name,
    size: image.deviceSize,
    mode: Number(status.mode),
    uid: Number(status.uid),
    gid: Number(status.gid),
    atimeNs: status.atimeNs,
    mtimeNs: status.mtimeNs,
    ctimeNs: status.ctimeNs,
    storedBytes: Math.min(image.storedBlocks * image.blockSize, image.deviceSize),
    blockSize: usualBlockSize(image.blockSize),
    read: (into, offset) => io.readNow(into, offset) ?? io.read(into, offset),
    ...holeMap(image),
  };
}
