import type { BitReader } from "./bits.ts";
import { type HuffmanCode, huffmanCode, readSymbol } from "./huffman.ts";

/** So many symbols are read with one code before the next selector is used. */
const GROUP_SIZE = 50;
const MAX_CODE_LENGTH = 20;
const MAX_SELECTORS = 2 ** 15 - 1;
const RUN_A = 0;
const RUN_B = 1;

/** What a block's bits say: the last column of the sorted rotations, and where the text begins. */
export interface DecodedBlock {
  /** In the low byte of each entry the last column; above it, the place of the byte that follows. */
  readonly table: Uint32Array;
  readonly start: number;
}

/** No block of a valid file is longer: codes, selectors and symbols of the greatest length. */
export function maxBlockBytes(blockSize: number): number {
  const symbols = Math.ceil((blockSize * MAX_CODE_LENGTH) / 8);
  return symbols + Math.ceil((MAX_SELECTORS * 6) / 8) + 16 * 1024;
}

/** Decodes a block after its checksum; `null` where it contradicts itself. */
export function decodeBlock(bits: BitReader, table: Uint32Array): DecodedBlock | null {
  const origin = bits.read(24);
  const alphabet = readAlphabet(bits);
  const codeCount = bits.read(3);
  const selectorCount = bits.read(15);
  if (alphabet.length === 0 || codeCount < 2 || codeCount > 6 || selectorCount === 0) return null;
  const selectors = readSelectors(bits, codeCount, selectorCount);
  if (selectors === null) return null;
  const codes: HuffmanCode[] = [];
  for (let index = 0; index < codeCount; index++) {
    const lengths = readLengths(bits, alphabet.length + 2);
    if (lengths === null) return null;
    codes.push(huffmanCode(lengths));
  }
  const groups = Array.from(selectors, (selector) => codes[selector] as HuffmanCode);
  const count = readColumn(bits, groups, alphabet, table);
  if (count === null || origin >= count) return null;
  const column = table.subarray(0, count);
  linkRotations(column);
  return { table: column, start: (column[origin] as number) >>> 8 };
}

/** The byte values that occur: a map of which sixteenths are used, then a map of each. */
function readAlphabet(bits: BitReader): Uint8Array {
  const used = bits.read(16);
  const values: number[] = [];
  for (let high = 0; high < 16; high++) {
    if (((used >> (15 - high)) & 1) === 0) continue;
    const map = bits.read(16);
    for (let low = 0; low < 16; low++) {
      if (((map >> (15 - low)) & 1) === 1) values.push(high * 16 + low);
    }
  }
  return Uint8Array.from(values);
}

function readSelectors(bits: BitReader, codeCount: number, count: number): Uint8Array | null {
  const recent = Uint8Array.of(0, 1, 2, 3, 4, 5);
  const selectors = new Uint8Array(count);
  for (let index = 0; index < count; index++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= codeCount) return null;
    selectors[index] = moveToFront(recent, place);
  }
  return selectors;
}

/** Code lengths, each as steps from the one before. */
function readLengths(bits: BitReader, count: number): Uint8Array | null {
  const lengths = new Uint8Array(count);
  let length = bits.read(5);
  for (let symbol = 0; symbol < count; symbol++) {
    for (;;) {
      if (length < 1 || length > MAX_CODE_LENGTH) return null;
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return lengths;
}

/** Fills `column` with the last column of the rotations; returns its length. */
function readColumn(
  bits: BitReader,
  groups: readonly HuffmanCode[],
  alphabet: Uint8Array,
  column: Uint32Array,
): number | null {
  const recent = alphabet.slice();
  const endSymbol = alphabet.length + 1;
  let count = 0;
  let run = 0;
  let runUnit = 1;
  for (const code of groups) {
    for (let left = GROUP_SIZE; left > 0; left--) {
      const symbol = readSymbol(bits, code);
      if (symbol === RUN_A || symbol === RUN_B) {
        // The length of a run in digits 1 and 2 of base 2, the lowest first.
        run += runUnit << symbol;
        runUnit *= 2;
        if (run > column.length) return null;
        continue;
      }
      if (symbol < 0 || count + run > column.length) return null;
      if (run > 0) column.fill(recent[0] as number, count, count + run);
      count += run;
      run = 0;
      runUnit = 1;
      if (symbol === endSymbol) return count;
      if (count === column.length) return null;
      column[count++] = moveToFront(recent, symbol - 1);
    }
  }
  return null;
}

function moveToFront(recent: Uint8Array, place: number): number {
  const value = recent[place] as number;
  for (let index = place; index > 0; index--) recent[index] = recent[index - 1] as number;
  recent[0] = value;
  return value;
}

/**
 * Undoes the Burrows-Wheeler transform: the n-th occurrence of a byte in the last column is the
 * n-th in the first, so each entry gets the place of the byte that follows it.
 */
function linkRotations(column: Uint32Array): void {
  const firsts = new Uint32Array(257);
  for (const entry of column) firsts[(entry & 0xff) + 1] = (firsts[(entry & 0xff) + 1] ?? 0) + 1;
  for (let value = 0; value < 256; value++) {
    firsts[value + 1] = (firsts[value + 1] as number) + (firsts[value] as number);
  }
  for (let index = 0; index < column.length; index++) {
    const value = (column[index] as number) & 0xff;
    const place = firsts[value] as number;
    firsts[value] = place + 1;
    column[place] = (column[place] as number) | (index << 8);
  }
}
