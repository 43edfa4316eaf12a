import { CRC32_START, crc32Update } from "../bytes/crc32.ts";
import { sharedWords } from "../image/rank.ts";
import type { ByteStream } from "../source/source.ts";

const CHUNK = 2 ** 20;

/** What the stored bitmap held besides the blocks' presence; rules judge it. */
export interface BitmapFacts {
  /** One bit a block, least significant first, clear past the last block; `null`: all present. */
  readonly words: Uint32Array | null;
  /** The stream ended within the bitmap or its end mark. */
  readonly complete: boolean;
  /** Bytes of a byte map that are neither 0 nor 1. */
  readonly oddValues: number;
  /** Bits set past the last block. */
  readonly strayBits: number;
  /** Of the bitmap's bytes as stored. */
  readonly computedCrc: number;
}

/** Bit `n` of the file's byte `n / 8` is block n (format 0002, bitmap mode 0x01). */
export async function readBitMap(
  stream: ByteStream,
  totalBlocks: number,
  swapWordBytes: number | null,
): Promise<BitmapFacts> {
  const size = Math.ceil(totalBlocks / 8);
  const words = wordsFor(stream, totalBlocks, size);
  let crc = CRC32_START;
  let done = 0;
  while (done < size) {
    // Read where it stays: copying a bitmap of 512 MiB takes 0.1 s.
    const end = Math.min(done + CHUNK, size);
    const part = words.bytes(end).subarray(done, end);
    const got = await stream.read(part);
    crc = crc32Update(crc, part.subarray(0, got));
    done += got;
    if (got < part.length) break;
  }
  const bits = words.finish();
  if (swapWordBytes) reverseWords(bits, swapWordBytes);
  const strayBits = clearPast(bits, totalBlocks);
  return { words: bits, complete: done === size, oddValues: 0, strayBits, computedCrc: crc };
}

/** One byte a block; exactly 1 means present (format 0001, and bitmap mode 0x08 of 0002). */
export async function readByteMap(stream: ByteStream, totalBlocks: number): Promise<BitmapFacts> {
  const words = wordsFor(stream, totalBlocks, totalBlocks);
  let oddValues = 0;
  let done = 0;
  const chunk = new Uint8Array(Math.min(CHUNK, totalBlocks));
  while (done < totalBlocks) {
    const part = chunk.subarray(0, totalBlocks - done);
    const got = await stream.read(part);
    const bytes = words.bytes(Math.ceil((done + got) / 8));
    for (let index = 0; index < got; index++) {
      const value = part[index] ?? 0;
      if (value > 1) oddValues++;
      const block = done + index;
      const byte = Math.floor(block / 8);
      if (value === 1) bytes[byte] = (bytes[byte] ?? 0) | (1 << (block % 8));
    }
    done += got;
    if (got < part.length) break;
  }
  const complete = done === totalBlocks;
  return { words: words.finish(), complete, oddValues, strayBits: 0, computedCrc: CRC32_START };
}

/** Bitmap mode 0x00: nothing is stored, every block is present. */
export const noBitmap: BitmapFacts = {
  words: null,
  complete: true,
  oddValues: 0,
  strayBits: 0,
  computedCrc: CRC32_START,
};

/**
 * Memory for the bitmap. A file that holds the whole map justifies all of it at once; a stream of
 * unknown length gets more only as its bytes arrive, whatever its header claims.
 */
function wordsFor(stream: ByteStream, totalBlocks: number, mapBytes: number) {
  const certain = stream.size !== null && stream.position + mapBytes <= stream.size;
  let words = certain ? sharedWords(totalBlocks) : new Uint32Array(0);
  return {
    /** The bitmap as bytes, at least `count` of them. */
    bytes(count: number): Uint8Array {
      if (count > words.byteLength) {
        const grown = new Uint32Array(Math.max(words.length * 2, Math.ceil(count / 4)));
        grown.set(words);
        words = grown;
      }
      return new Uint8Array(words.buffer);
    },
    finish(): Uint32Array {
      if (certain) return words;
      const used = Math.min(words.length, Math.ceil(totalBlocks / 32));
      const shared = sharedWords(used * 32);
      shared.set(words.subarray(0, used));
      return shared;
    },
  };
}

/** A big-endian writer's words have their bytes in reverse order. */
function reverseWords(words: Uint32Array, wordBytes: number): void {
  const bytes = new Uint8Array(words.buffer);
  for (let at = 0; at + wordBytes <= bytes.length; at += wordBytes) {
    bytes.subarray(at, at + wordBytes).reverse();
  }
}

/** Clears the bits past the last block and returns how many were set (PC2-STRAY-BITS). */
function clearPast(words: Uint32Array, totalBlocks: number): number {
  const bytes = new Uint8Array(words.buffer);
  let stray = 0;
  for (let block = totalBlocks; block < bytes.length * 8; block++) {
    const byte = Math.floor(block / 8);
    const bit = 1 << (block % 8);
    if (((bytes[byte] ?? 0) & bit) !== 0) stray++;
    bytes[byte] = (bytes[byte] ?? 0) & ~bit;
  }
  return stray;
}
