import type { BigIntStats } from "node:fs";
import { BlockIO } from "../image/block-io.ts";
import type { Image } from "../image/image.ts";
import type { ServedFile } from "./served-file.ts";

/** FUS-LSEEK: holes count in pieces of this size, at multiples of it; smaller ones are data. */
export const HOLE_GRAIN = 65536;

/** What the partition's file takes over from its image's file. */
export type ImageStatus = Pick<
  BigIntStats,
  "mode" | "uid" | "gid" | "atimeNs" | "mtimeNs" | "ctimeNs"
>;

interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** From `block` on: the first stretch of the wanted kind, in blocks; null: none. */
function stretchFrom(image: Image, block: number, isStored: boolean): Stretch | null {
  let start: number | null = null;
  let at = block;
  while (at < image.blockCount) {
    const run = image.runAt(at, image.blockCount - at);
    if ((run.stored !== null) === isStored) start ??= at;
    else if (start !== null) break;
    at += run.count;
  }
  return start === null ? null : { start, end: at };
}

const grainAt = (offset: number): number => offset - (offset % HOLE_GRAIN);

/** The first grain at or after `grain` without a stored block; the device's end if there is none. */
function nextEmptyGrain(image: Image, grain: number): number {
  const { blockSize, blockCount, deviceSize } = image;
  let block = Math.floor(grain / blockSize);
  while (block < blockCount) {
    const absent = stretchFrom(image, block, false);
    if (absent === null) break;
    const start = Math.max(grain, Math.ceil((absent.start * blockSize) / HOLE_GRAIN) * HOLE_GRAIN);
    // Bytes past the last block are zeros as well.
    const end = absent.end === blockCount ? deviceSize : absent.end * blockSize;
    if (start < end && (end - start >= HOLE_GRAIN || end >= deviceSize)) return start;
    block = absent.end;
  }
  const start = Math.max(grain, Math.ceil((blockCount * blockSize) / HOLE_GRAIN) * HOLE_GRAIN);
  return Math.min(start, deviceSize);
}

/** The first grain at or after `grain` with a stored block; null if there is none. */
function nextFilledGrain(image: Image, grain: number): number | null {
  const stored = stretchFrom(image, Math.floor(grain / image.blockSize), true);
  if (stored === null) return null;
  return Math.max(grain, grainAt(stored.start * image.blockSize));
}

/**
 * The holes of a partition. Remembers the last answer: clients ask for every few megabytes of a
 * range, and each time the search would go through all the short runs up to its end again.
 */
function holeMap(image: Image): Pick<ServedFile, "nextData" | "nextHole"> {
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

function countStored(image: Image): number {
  let blocks = 0;
  for (let at = 0; at < image.blockCount; ) {
    const run = image.runAt(at, image.blockCount - at);
    if (run.stored !== null) blocks += run.count;
    at += run.count;
  }
  return Math.min(blocks * image.blockSize, image.deviceSize);
}

/** The partition in an image as the one file of a mount. */
export function partitionFile(image: Image, name: string, status: ImageStatus): ServedFile {
  const io = new BlockIO(image);
  let stored: number | null = null;
  return {
    name,
    size: image.deviceSize,
    mode: Number(status.mode),
    uid: Number(status.uid),
    gid: Number(status.gid),
    atimeNs: status.atimeNs,
    mtimeNs: status.mtimeNs,
    ctimeNs: status.ctimeNs,
    // Counted when somebody asks: it takes a walk through the whole bitmap.
    get storedBytes() {
      stored ??= countStored(image);
      return stored;
    },
    blockSize: image.blockSize,
    read: (into, offset) => io.read(into, offset),
    ...holeMap(image),
  };
}
