import { ImageBackupError } from "../bytes/errors.ts";
import { popcount, popcount32 } from "../bytes/popcount.ts";
import { popcounts } from "../bytes/popcounts.ts";

/** Blocks in one word of the bitmap. */
const WORD = 32;
/** Entries of the fine index under one exact count: 1024 x 2^20 bits stay below 2^32. */
const GROUP = 1024;

export const DEFAULT_INDEX_SIZE = 1024;
export const INDEX_SIZE_RANGE = { min: WORD, max: 2 ** 20 } as const;

/** The parts of a rank index that threads share; all of them live in shared memory. */
export interface RankParts {
  readonly blockCount: number;
  readonly indexSize: number;
  /** One bit a block, least significant first; bits past the last block are clear. */
  readonly words: Uint32Array;
  /** Blocks present before each `indexSize` blocks, counted from the start of their group. */
  readonly fine: Uint32Array;
  /** Blocks present before each group. */
  readonly coarse: Float64Array;
}

/** The runtime's largest array has 4 GiB. */
const MOST_BLOCKS = 2 ** 35;
/** NTFS has no more; a header that stores no bitmap can claim any number. */
const MOST_BLOCKS_UNSTORED = 2 ** 32;

/** Words that hold `blockCount` bits, in memory that worker threads can share. */
export function sharedWords(blockCount: number): Uint32Array {
  requireRoom(blockCount, MOST_BLOCKS);
  return new Uint32Array(new SharedArrayBuffer(Math.ceil(blockCount / WORD) * 4));
}

/** Bytes that hold `blockCount` bits which the image does not store as such. */
export function bitmapBytes(blockCount: number): Uint8Array {
  requireRoom(blockCount, MOST_BLOCKS_UNSTORED);
  return new Uint8Array(Math.ceil(blockCount / 8));
}

function requireRoom(blockCount: number, most: number): void {
  if (blockCount <= most) return;
  throw new ImageBackupError(
    "UNSUPPORTED",
    `a bitmap of ${blockCount} blocks is too large for memory: more than ${most} are not supported`,
  );
}

/**
 * Answers in constant time how many blocks before a block are present. Block numbers are never
 * touched by bitwise operators: 16 TiB of 4 KiB blocks is exactly 2^32 blocks.
 */
export class RankIndex {
  readonly parts: RankParts;
  /** Blocks present in all. */
  readonly population: number;

  constructor(parts: RankParts) {
    this.parts = parts;
    this.population = this.rank(parts.blockCount);
  }

  /** Counts the bits of `words` once. `indexSize` is rounded up to a multiple of 32 blocks. */
  static build(words: Uint32Array, blockCount: number, indexSize = DEFAULT_INDEX_SIZE): RankIndex {
    const wordsPerEntry = Math.ceil(indexSize / WORD);
    const entries = Math.floor(words.length / wordsPerEntry) + 1;
    const fine = new Uint32Array(new SharedArrayBuffer(entries * 4));
    const coarse = new Float64Array(new SharedArrayBuffer(Math.ceil(entries / GROUP) * 8));
    popcounts(words, wordsPerEntry, fine);
    let total = 0;
    let groupStart = 0;
    for (let entry = 0; entry < entries; entry++) {
      if (entry % GROUP === 0) {
        groupStart = total;
        coarse[entry / GROUP] = total;
      }
      const count = fine[entry] ?? 0;
      fine[entry] = total - groupStart;
      total += count;
    }
    return new RankIndex({ blockCount, indexSize: wordsPerEntry * WORD, words, fine, coarse });
  }

  has(block: number): boolean {
    const word = this.parts.words[Math.floor(block / WORD)] ?? 0;
    return ((word >>> (block % WORD)) & 1) === 1;
  }

  /** Blocks present before `block`; `block` may be the block count. */
  rank(block: number): number {
    const { words, fine, coarse, indexSize } = this.parts;
    const entry = Math.floor(block / indexSize);
    const word = Math.floor(block / WORD);
    const before = (coarse[Math.floor(entry / GROUP)] ?? 0) + (fine[entry] ?? 0);
    const rest = block % WORD;
    const partial = rest === 0 ? 0 : popcount32((words[word] ?? 0) & ((1 << rest) - 1));
    return before + popcount(words, (entry * indexSize) / WORD, word) + partial;
  }

  /** The present block with `rank` present blocks before it. */
  select(rank: number): number {
    let low = 0;
    let high = this.parts.blockCount;
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.rank(middle) <= rank) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Consecutive blocks from `block` on that are like it, present or absent; at most `limit`. */
  runLength(block: number, limit: number): number {
    const { words, blockCount } = this.parts;
    const end = Math.min(block + limit, blockCount);
    const uniform = this.has(block) ? 0xffffffff : 0;
    let word = Math.floor(block / WORD);
    const first = block % WORD;
    let differing = (((words[word] ?? 0) ^ uniform) >>> first) << first;
    const lastWord = Math.ceil(end / WORD);
    while (differing === 0 && ++word < lastWord) differing = (words[word] ?? 0) ^ uniform;
    if (differing === 0) return end - block;
    const bit = 31 - Math.clz32(differing & -differing);
    return Math.min(word * WORD + bit, end) - block;
  }
}
