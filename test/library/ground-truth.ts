import { type Fixture, PRESENT, UNKNOWN } from "../../fixtures-gen/fixture.ts";
import { NtfsClone, PartClone } from "../../src/index.ts";
import type { ImageInput } from "../../src/source/input.ts";
import { ChunkStream } from "../../src/source/stream.ts";
import { pieces } from "../memory-source.ts";

/** A big-endian bitmap whose end is cut off tells nobody which blocks there are. */
export const isReadable = ({ present }: Fixture): boolean => !present.includes(UNKNOWN);

export const openAs = (fixture: Fixture, input: ImageInput): Promise<PartClone | NtfsClone> =>
  fixture.format === "ntfsclone" ? NtfsClone.open(input) : PartClone.open(input);

/** The image as a pipe brings it. */
export const pipeOf = (bytes: Uint8Array, sizes: readonly number[] = [1000]): ChunkStream =>
  new ChunkStream("pipe", pieces(bytes, sizes));

/** What `onBlock` must be given: each stored block once, in ascending order, of the last version. */
export function expectedBlocks(fixture: Fixture): [deviceOffset: number, block: Uint8Array][] {
  const { partition, blockSize, stored } = fixture;
  const blocks = [...new Set(stored.map(({ block }) => block))].sort((a, b) => a - b);
  return blocks
    .map((block): [number, Uint8Array] => {
      const at = block * blockSize;
      return [at, partition.subarray(at, at + blockSize)];
    })
    .filter(([, bytes]) => bytes.length > 0);
}

/** Of the file system's blocks: not ntfsclone's position after the last, the boot sector's. */
export const usedBlocks = ({ present }: Fixture): number =>
  present.reduce((sum, value) => sum + (value === PRESENT ? 1 : 0), 0);

/** One bit a block, least significant first. */
export function bitmapOf({ present }: Fixture): Uint8Array {
  const bits = new Uint8Array(Math.ceil(present.length / 8));
  for (const [block, value] of present.entries()) {
    const byte = Math.floor(block / 8);
    if (value === PRESENT) bits[byte] = (bits[byte] ?? 0) | (1 << (block % 8));
  }
  return bits;
}
