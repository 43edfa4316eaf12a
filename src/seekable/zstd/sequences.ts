import { MAX_BLOCK_SIZE } from "../../source/codecs/zstd-header.ts";
import { Malformed } from "../malformed.ts";
import type { Sections } from "./sections.ts";

/** Extra bits and base values of the codes (RFC 8878, 3.1.1.3.2.1.1): base | bits << 24. */
const lengthCodes = (direct: number, base: number, bits: readonly number[]) => {
  let value = base;
  const extra = [...new Array<number>(direct).fill(0), ...bits];
  return Int32Array.from(extra, (count) => {
    const code = value | (count << 24);
    value += 1 << count;
    return code;
  });
};
const LITERAL_LENGTHS = lengthCodes(
  16,
  0,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const MATCH_LENGTHS = lengthCodes(
  32,
  3,
  [1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16],
);
const BASE = 0xffffff;
/** An offset of 2^28 is beyond every window that is read. */
const MAX_OFFSET_CODE = 28;
/** As many bits as one look at four bytes always has. */
const LOOK = 25;
const LOOK_MASK = 2 ** LOOK - 1;

/** The three last offsets, which sequences name by number. */
export type Repeats = readonly [number, number, number];
export const FIRST_REPEATS: Repeats = [1, 4, 8];
/** An offset not known, since it is from before the block: stays negative when 1 is taken off. */
const UNKNOWN = -(2 ** 30);
export const UNKNOWN_REPEATS: Repeats = [UNKNOWN, UNKNOWN, UNKNOWN];
export const areKnown = (repeats: Repeats) => repeats.every((offset) => offset > 0);

/** Which bytes of what is before a checkpoint are needed after it, in pieces of MARK_SIZE bytes. */
export interface Marks {
  /** By the distance back from the checkpoint. */
  readonly needed: Uint8Array;
  /** Bytes decoded since the checkpoint. */
  readonly position: number;
}
export const MARK_BITS = 3;

export interface Decoded {
  /** Bytes that the block decodes to. */
  readonly size: number;
  readonly repeats: Repeats;
}

const NO_MARKS: Marks = { needed: new Uint8Array(), position: 2 ** 29 };

/**
 * Follows a compressed block's sequences without producing the data. One long function that reads
 * bits in place: it runs for every sequence, 25 million in half a gigabyte, and with the bits read
 * by a function that keeps their position it is four times slower.
 */
export function followSequences(
  block: Uint8Array,
  { literals, count, bitsAt, tables }: Sections,
  repeats: Repeats,
  { needed, position: start }: Marks = NO_MARKS,
): Decoded {
  if (count === 0) return { size: literals, repeats };
  const lTable = tables.literalLengths.entries();
  const oTable = tables.offsets.entries();
  const mTable = tables.matchLengths.entries();
  // Bits are read from the end to the beginning; the highest bit set of the last byte is no data.
  const base = bitsAt * 8;
  let bit = block.length * 8 - 1 - Math.clz32((block[block.length - 1] as number) << 24);
  bit -= tables.literalLengths.log;
  let l = look(block, bit) & (lTable.length - 1);
  bit -= tables.offsets.log;
  let o = look(block, bit) & (oTable.length - 1);
  bit -= tables.matchLengths.log;
  let m = look(block, bit) & (mTable.length - 1);
  let [r0, r1, r2] = repeats;
  let position = start;
  let copied = 0;
  for (let left = count; ; ) {
    const lEntry = lTable[l] as number;
    const oEntry = oTable[o] as number;
    const mEntry = mTable[m] as number;
    const code = oEntry & 0xff;
    let value = 1;
    if (code > LOOK) {
      if (code > MAX_OFFSET_CODE) throw new Malformed("an offset is too large");
      bit -= code;
      const low = look(block, bit) & LOOK_MASK;
      value = (1 << code) + low + ((look(block, bit + LOOK) & ((1 << (code - LOOK)) - 1)) << LOOK);
    } else if (code > 0) {
      bit -= code;
      const word = look(block, bit);
      value = (1 << code) + (word & ((1 << code) - 1));
    }
    const mCode = MATCH_LENGTHS[mEntry & 0xff] as number;
    let match = mCode & BASE;
    if (mCode > BASE) {
      bit -= mCode >>> 24;
      match += look(block, bit) & ((1 << (mCode >>> 24)) - 1);
    }
    const lCode = LITERAL_LENGTHS[lEntry & 0xff] as number;
    let literal = lCode & BASE;
    if (lCode > BASE) {
      bit -= lCode >>> 24;
      literal += look(block, bit) & ((1 << (lCode >>> 24)) - 1);
    }
    let offset = r0;
    if (value > 3) {
      offset = value - 3;
      r2 = r1;
      r1 = r0;
      r0 = offset;
    } else {
      const which = literal === 0 ? value : value - 1;
      if (which > 0) {
        offset = which === 1 ? r1 : which === 2 ? r2 : r0 - 1;
        if (which !== 1) r2 = r1;
        r1 = r0;
        r0 = offset;
      }
    }
    position += literal;
    copied += literal;
    if (offset > position) {
      const back = offset - position;
      const isTooFar = back > needed.length << MARK_BITS || position - start > MAX_BLOCK_SIZE;
      if (isTooFar) throw new Malformed("an offset is too large");
      const first = back > match ? (back - match) >> MARK_BITS : 0;
      for (let piece = (back - 1) >> MARK_BITS; piece >= first; piece--) needed[piece] = 1;
    }
    position += match;
    if (--left === 0) break;
    const lBits = (lEntry >> 8) & 0xff;
    const mBits = (mEntry >> 8) & 0xff;
    const oBits = (oEntry >> 8) & 0xff;
    const all = lBits + mBits + oBits;
    bit -= all;
    if (all + (bit & 7) <= 32) {
      const states = look(block, bit);
      o = (oEntry >>> 16) + (states & ((1 << oBits) - 1));
      m = (mEntry >>> 16) + ((states >>> oBits) & ((1 << mBits) - 1));
      l = (lEntry >>> 16) + ((states >>> (oBits + mBits)) & ((1 << lBits) - 1));
    } else {
      o = (oEntry >>> 16) + (look(block, bit) & ((1 << oBits) - 1));
      m = (mEntry >>> 16) + (look(block, bit + oBits) & ((1 << mBits) - 1));
      l = (lEntry >>> 16) + (look(block, bit + oBits + mBits) & ((1 << lBits) - 1));
    }
  }
  if (bit !== base) throw new Malformed("a block's sequences do not end with it");
  const size = position - start + literals - copied;
  if (copied > literals || size > MAX_BLOCK_SIZE) throw new Malformed("a block is too large");
  return { size, repeats: [r0, r1, r2] };
}

/** As many bits as a number has, from `bit` on; at least LOOK of them are data. */
function look(bytes: Uint8Array, bit: number): number {
  const at = bit >> 3;
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
  return (low | high) >> (bit & 7);
}
