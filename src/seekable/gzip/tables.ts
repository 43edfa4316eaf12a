import { Malformed } from "../malformed.ts";

/** Deflate's longest code (RFC 1951, 3.2.7). */
const MAX_LENGTH = 15;

/**
 * An entry: value << 16 | kind << 8 | bits of the code. The kind of a length or distance is its
 * number of extra bits; that of a link the bits to look at in the table that begins at its value.
 */
export const LITERAL = 0x8000;
export const END_OF_BLOCK = 0x4000;
export const LINK = 0x2000;
const INVALID = 0x6000;
/** What is more than a length or distance. */
export const SPECIAL = 0xe000;

/** Value and extra bits of each symbol, as they are in an entry. */
type Symbols = Int32Array;

/** Lengths and distances: so many codes for each number of extra bits. */
function steps(base: number, perBits: readonly number[]): number[] {
  let value = base;
  return perBits.flatMap((count, extra) =>
    Array.from({ length: count }, () => {
      const symbol = (value << 16) | (extra << 8);
      value += 1 << extra;
      return symbol;
    }),
  );
}

const literals = Array.from({ length: 256 }, (_, value) => (value << 16) | LITERAL);
/** The last code of a length has no extra bits: 258 (RFC 1951, 3.2.5). */
const lengths = [...steps(3, [8, 4, 4, 4, 4, 4]).slice(0, 28), 258 << 16];

export const LITERALS_AND_LENGTHS: Symbols = Int32Array.from([
  ...literals,
  END_OF_BLOCK,
  ...lengths,
  INVALID,
  INVALID,
]);
export const DISTANCES: Symbols = Int32Array.from([
  ...steps(1, [4, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
  INVALID,
  INVALID,
]);
export const CODE_LENGTHS: Symbols = Int32Array.from({ length: 19 }, (_, value) => value << 16);

/** A table that is filled again for each block, looked up by the next `bits` bits. */
export class DecodingTable {
  readonly bits: number;
  readonly #symbols: Symbols;
  /** The second levels of the longest codes there are, as zlib counts them, fit with space left. */
  readonly entries: Int32Array;

  constructor(bits: number, symbols: Symbols) {
    this.bits = bits;
    this.#symbols = symbols;
    this.entries = new Int32Array((1 << bits) + (1 << MAX_LENGTH));
  }

  /**
   * Fills it with the canonical code of these lengths. As zlib, it refuses codes of too many or too
   * few symbols; a single symbol with a code of one bit is allowed, and no symbol at all.
   */
  fill(codeLengths: Uint8Array, allowsIncomplete: boolean): void {
    const counts = new Uint16Array(MAX_LENGTH + 1);
    for (const length of codeLengths) counts[length] = (counts[length] as number) + 1;
    counts[0] = 0;
    const next = new Uint16Array(MAX_LENGTH + 2);
    let left = 1;
    let longest = 0;
    for (let length = 1; length <= MAX_LENGTH; length++) {
      const count = counts[length] as number;
      left = left * 2 - count;
      if (left < 0) throw new Malformed("a code has too many symbols");
      if (count > 0) longest = length;
      next[length + 1] = ((next[length] as number) + count) << 1;
    }
    if (left > 0 && !(allowsIncomplete && longest <= 1)) {
      throw new Malformed("a code has too few symbols");
    }
    this.#place(codeLengths, next, longest);
  }

  #place(codeLengths: Uint8Array, next: Uint16Array, longest: number): void {
    const { bits, entries } = this;
    const size = 1 << bits;
    entries.fill(INVALID | 1, 0, size);
    let end = size;
    for (let symbol = 0; symbol < codeLengths.length; symbol++) {
      const length = codeLengths[symbol] as number;
      if (length === 0) continue;
      const code = next[length] as number;
      next[length] = code + 1;
      const place = reversed(code, length);
      const value = this.#symbols[symbol] as number;
      if (length <= bits) {
        for (let at = place; at < size; at += 1 << length) entries[at] = value | length;
        continue;
      }
      const first = place & (size - 1);
      if (((entries[first] as number) & SPECIAL) !== LINK) {
        // All codes that begin so are looked up by as many bits as the longest code has.
        entries[first] = (end << 16) | LINK | ((longest - bits) << 8) | bits;
        entries.fill(INVALID | 1, end, end + (1 << (longest - bits)));
        end += 1 << (longest - bits);
      }
      const start = (entries[first] as number) >>> 16;
      for (let at = place >> bits; at < 1 << (longest - bits); at += 1 << (length - bits)) {
        entries[start + at] = value | (length - bits);
      }
    }
  }
}

/** Codes are stored with their first bit lowest. */
function reversed(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit++) result |= ((code >> bit) & 1) << (length - 1 - bit);
  return result;
}
