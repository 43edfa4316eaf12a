/** Bits set in a 32-bit word. */
export function popcount32(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}

/** Bits set in `words[from]` to `words[to - 1]`. */
export function popcount(words: Uint32Array, from: number, to: number): number {
  let count = 0;
  for (let index = from; index < to; index++) count += popcount32(words[index] ?? 0);
  return count;
}
