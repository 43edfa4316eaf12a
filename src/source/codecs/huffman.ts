import type { BitReader } from "./bits.ts";

/** Longer codes are looked up by length: they are rare, and a table of 2^20 entries is slow. */
const FAST_BITS = 10;
const MAX_LENGTH = 20;

/** A canonical Huffman code, as bzip2 stores it: the lengths alone. */
export interface HuffmanCode {
  /** By the next 10 bits: the symbol and the length of its code, 0 for a longer one. */
  readonly fast: Uint16Array;
  /** By length: the first code that is too large for it, left-aligned to 20 bits. */
  readonly limits: Uint32Array;
  /** By length: what to subtract from a code to find its symbol's place. */
  readonly bases: Int32Array;
  /** The symbols in the order of their codes. */
  readonly symbols: Uint16Array;
}

export function huffmanCode(lengths: Uint8Array): HuffmanCode {
  const symbols = new Uint16Array(lengths.length);
  const limits = new Uint32Array(MAX_LENGTH + 1);
  const bases = new Int32Array(MAX_LENGTH + 1);
  const fast = new Uint16Array(1 << FAST_BITS);
  let count = 0;
  let code = 0;
  for (let length = 1; length <= MAX_LENGTH; length++) {
    bases[length] = code - count;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] !== length) continue;
      if (length <= FAST_BITS) {
        const unused = FAST_BITS - length;
        fast.fill((symbol << 4) | length, code << unused, (code + 1) << unused);
      }
      symbols[count++] = symbol;
      code++;
    }
    limits[length] = code << (MAX_LENGTH - length);
    code <<= 1;
  }
  return { fast, limits, bases, symbols };
}

/** The next symbol, -1 where no code matches: a sentinel, since this runs for every symbol. */
export function readSymbol(bits: BitReader, code: HuffmanCode): number {
  const next = bits.peek(MAX_LENGTH);
  const entry = code.fast[next >>> (MAX_LENGTH - FAST_BITS)] as number;
  if (entry !== 0) {
    bits.position += entry & 15;
    return entry >>> 4;
  }
  for (let length = FAST_BITS + 1; length <= MAX_LENGTH; length++) {
    if (next >= (code.limits[length] as number)) continue;
    bits.position += length;
    const place = (next >>> (MAX_LENGTH - length)) - (code.bases[length] as number);
    return code.symbols[place] ?? -1;
  }
  return -1;
}
