/** A number from 0 to 2^32 - 1 that depends on both arguments only (two rounds of a 32-bit mixer). */
export function mix(seed: number, index: number): number {
  let state = (seed ^ Math.imul(index + 1, 0x9e3779b1)) >>> 0;
  for (let round = 0; round < 2; round++) {
    state = Math.imul(state ^ (state >>> 16), 0x7feb352d) >>> 0;
    state = Math.imul(state ^ (state >>> 15), 0x846ca68b) >>> 0;
  }
  return (state ^ (state >>> 16)) >>> 0;
}

/** Fills `into` with bytes that depend on the seed only. */
export function fillRandom(into: Uint8Array, seed: number): void {
  // xorshift32 never leaves the state 0.
  let state = mix(seed, 0) || 1;
  for (let at = 0; at < into.length; at += 4) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const end = Math.min(at + 4, into.length);
    for (let byte = at, word = state; byte < end; byte++, word >>>= 8) into[byte] = word & 0xff;
  }
}
