import { Malformed } from "../malformed.ts";
import {
  CODE_LENGTHS,
  DecodingTable,
  DISTANCES,
  END_OF_BLOCK,
  LINK,
  LITERAL,
  LITERALS_AND_LENGTHS,
  SPECIAL,
} from "./tables.ts";

/** As far back as a copy can reach. */
export const WINDOW_SIZE = 32 * 1024;
/** The longest copy, and what is written at once. */
const MAX_COPY = 258;
/** A block's header is smaller; so is a symbol with all that belongs to it. */
export const INPUT_MARGIN = 600;

/** Why decoding stopped. */
export type Stop = "block-end" | "input" | "output";

type Mode = "header" | "stored" | "codes";

const STORED = 0;
const FIXED = 1;
const DYNAMIC = 2;
/** In what order a block brings the lengths of the codes of code lengths (RFC 1951, 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

const fixedLengths = Uint8Array.from({ length: 288 }, (_, symbol) =>
  symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8,
);
const fixedDistances = new Uint8Array(32).fill(5);

/**
 * Decodes deflate data (RFC 1951) and stops at every block's end: where it can begin again. The
 * runtime's own decoder, twice as fast, does not tell where blocks end.
 */
export class Inflater {
  /** What is decoded, and its next byte; `bitCount` bits of what is before it are still unread. */
  input: Uint8Array = new Uint8Array();
  position = 0;
  bitCount = 0;
  #bits = 0;
  /** What was decoded, the window before it. */
  output: Uint8Array;
  outPosition: number;
  /** No copy may reach what is before. */
  outStart: number;
  /** Which of the bytes before `markEnd`, the last 32 KiB of them, were copied: 1. */
  marks = new Uint8Array(WINDOW_SIZE);
  markEnd = 0;
  isLastBlock = false;
  #mode: Mode = "header";
  #stored = 0;
  readonly #symbols = new DecodingTable(10, LITERALS_AND_LENGTHS);
  readonly #distances = new DecodingTable(8, DISTANCES);
  readonly #codeLengths = new DecodingTable(7, CODE_LENGTHS);

  constructor(output: Uint8Array, outPosition: number) {
    this.output = output;
    this.outPosition = outPosition;
    this.outStart = outPosition;
  }

  /** Begins with a block's header; the lowest `bit` bits of the next byte belong to what is before. */
  begin(bit: number): void {
    this.#mode = "header";
    this.isLastBlock = false;
    this.#bits = 0;
    this.bitCount = 0;
    if (bit > 0) this.#take(bit);
  }

  /** Keeps the last `size` decoded bytes as the window, which nothing has referred to yet. */
  slide(size: number): void {
    this.output.copyWithin(WINDOW_SIZE - size, this.outPosition - size, this.outPosition);
    this.outPosition = WINDOW_SIZE;
    this.outStart = WINDOW_SIZE - size;
    this.markEnd = WINDOW_SIZE;
    this.marks.fill(0);
  }

  /** Gives back the bytes that were read too early: the input can be exchanged then. */
  unread(): void {
    this.position -= this.bitCount >> 3;
    this.bitCount &= 7;
    this.#bits &= (1 << this.bitCount) - 1;
  }

  /** Goes on to the next byte's beginning. */
  align(): void {
    this.unread();
    this.bitCount = 0;
    this.#bits = 0;
  }

  /** Goes on until a block's end, or until more input (INPUT_MARGIN bytes) or output is needed. */
  run(): Stop {
    if (this.#mode === "header") {
      if (this.position + INPUT_MARGIN > this.input.length) return "input";
      this.#readHeader();
    }
    const stop = this.#mode === "stored" ? this.#copyStored() : this.#decode();
    if (stop === "block-end") this.#mode = "header";
    return stop;
  }

  /** The next `count` bits, at most 16. */
  #take(count: number): number {
    while (this.bitCount < count) {
      this.#bits |= (this.input[this.position++] ?? 0) << this.bitCount;
      this.bitCount += 8;
    }
    const value = this.#bits & ((1 << count) - 1);
    this.#bits >>>= count;
    this.bitCount -= count;
    return value;
  }

  #readHeader(): void {
    this.isLastBlock = this.#take(1) === 1;
    const type = this.#take(2);
    if (type === STORED) {
      this.align();
      this.#stored = this.#take(16);
      if ((this.#take(16) ^ this.#stored) !== 0xffff) throw new Malformed("a length is invalid");
      this.align();
      this.#mode = "stored";
      return;
    }
    if (type === FIXED) {
      this.#symbols.fill(fixedLengths, false);
      this.#distances.fill(fixedDistances, false);
    } else if (type === DYNAMIC) this.#readCodes();
    else throw new Malformed("a block's type is invalid");
    this.#mode = "codes";
  }

  #readCodes(): void {
    const symbolCount = this.#take(5) + 257;
    const distanceCount = this.#take(5) + 1;
    const orderCount = this.#take(4) + 4;
    if (symbolCount > 286 || distanceCount > 30) throw new Malformed("a code has too many symbols");
    const own = new Uint8Array(19);
    for (const symbol of ORDER.slice(0, orderCount)) own[symbol] = this.#take(3);
    this.#codeLengths.fill(own, false);
    const lengths = new Uint8Array(symbolCount + distanceCount);
    for (let at = 0; at < lengths.length; ) {
      const symbol = this.#takeCodeLength();
      if (symbol < 16) {
        lengths[at++] = symbol;
        continue;
      }
      const repeated = symbol === 16 ? lengths[at - 1] : 0;
      const count =
        symbol === 16 ? 3 + this.#take(2) : symbol === 17 ? 3 + this.#take(3) : 11 + this.#take(7);
      if (repeated === undefined || at + count > lengths.length) {
        throw new Malformed("a code's lengths do not fit");
      }
      lengths.fill(repeated, at, at + count);
      at += count;
    }
    if (lengths[256] === 0) throw new Malformed("a block has no end");
    this.#symbols.fill(lengths.subarray(0, symbolCount), true);
    this.#distances.fill(lengths.subarray(symbolCount), true);
  }

  #takeCodeLength(): number {
    const bits = this.#take(7);
    const entry = this.#codeLengths.entries[bits] as number;
    if ((entry & SPECIAL) !== 0) throw new Malformed("a code's lengths are invalid");
    // What was taken too much goes back.
    const unread = 7 - (entry & 0xff);
    this.#bits = (this.#bits << unread) | (bits >> (entry & 0xff));
    this.bitCount += unread;
    return entry >>> 16;
  }

  #copyStored(): Stop {
    const { input, output } = this;
    const room = Math.min(this.#stored, output.length - this.outPosition);
    const count = Math.min(room, input.length - this.position);
    output.set(input.subarray(this.position, this.position + count), this.outPosition);
    this.position += count;
    this.outPosition += count;
    this.#stored -= count;
    if (this.#stored === 0) return "block-end";
    return count === room ? "output" : "input";
  }

  /** One long function on local variables: it runs for every symbol. */
  #decode(): Stop {
    const { input, output, outStart, markEnd } = this;
    const symbols = this.#symbols.entries;
    const symbolMask = (1 << this.#symbols.bits) - 1;
    const distances = this.#distances.entries;
    const distanceMask = (1 << this.#distances.bits) - 1;
    const inLimit = input.length - 16;
    const outLimit = output.length - MAX_COPY;
    const guard = Math.max(outStart, markEnd);
    let position = this.position;
    let bits = this.#bits;
    let count = this.bitCount;
    let to = this.outPosition;
    let stop: Stop = "block-end";
    for (;;) {
      if (to > outLimit) {
        stop = "output";
        break;
      }
      if (position > inLimit) {
        stop = "input";
        break;
      }
      // At most 31 bits are held, so that the number is never negative.
      if (count < 16) {
        bits |= ((input[position] as number) | ((input[position + 1] as number) << 8)) << count;
        position += 2;
        count += 16;
      }
      let entry = symbols[bits & symbolMask] as number;
      if ((entry & LITERAL) !== 0) {
        bits >>= entry & 0xff;
        count -= entry & 0xff;
        output[to++] = entry >>> 16;
        continue;
      }
      if ((entry & SPECIAL) === LINK) {
        bits >>= entry & 0xff;
        count -= entry & 0xff;
        entry = symbols[(entry >>> 16) + (bits & ((1 << ((entry >> 8) & 0x1f)) - 1))] as number;
      }
      bits >>= entry & 0xff;
      count -= entry & 0xff;
      if ((entry & SPECIAL) !== 0) {
        if ((entry & LITERAL) !== 0) {
          output[to++] = entry >>> 16;
          continue;
        }
        if ((entry & SPECIAL) === END_OF_BLOCK) break;
        throw new Malformed("a symbol is invalid");
      }
      if (count < 16) {
        bits |= ((input[position] as number) | ((input[position + 1] as number) << 8)) << count;
        position += 2;
        count += 16;
      }
      let extra = (entry >> 8) & 0x1f;
      const length = (entry >>> 16) + (bits & ((1 << extra) - 1));
      bits >>= extra;
      count -= extra;
      if (count < 16) {
        bits |= ((input[position] as number) | ((input[position + 1] as number) << 8)) << count;
        position += 2;
        count += 16;
      }
      entry = distances[bits & distanceMask] as number;
      if ((entry & SPECIAL) === LINK) {
        bits >>= entry & 0xff;
        count -= entry & 0xff;
        entry = distances[(entry >>> 16) + (bits & ((1 << ((entry >> 8) & 0x1f)) - 1))] as number;
      }
      if ((entry & SPECIAL) !== 0) throw new Malformed("a distance is invalid");
      bits >>= entry & 0xff;
      count -= entry & 0xff;
      if (count < 16) {
        bits |= ((input[position] as number) | ((input[position + 1] as number) << 8)) << count;
        position += 2;
        count += 16;
      }
      extra = (entry >> 8) & 0x1f;
      let from = to - (entry >>> 16) - (bits & ((1 << extra) - 1));
      bits >>= extra;
      count -= extra;
      if (from < guard) {
        if (from < outStart) throw new Malformed("a distance is too large");
        this.#mark(from, length);
      }
      const end = to + length;
      while (to < end) output[to++] = output[from++] as number;
    }
    this.position = position;
    this.#bits = bits;
    this.bitCount = count;
    this.outPosition = to;
    return stop;
  }

  #mark(from: number, length: number): void {
    const base = this.markEnd - WINDOW_SIZE;
    this.marks.fill(1, from - base, Math.max(0, Math.min(from + length, this.markEnd) - base));
  }
}
