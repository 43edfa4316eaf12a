import { expect, test } from "bun:test";
import fc from "fast-check";
import { popcount } from "../../src/bytes/popcount.ts";
import { popcounts } from "../../src/bytes/popcounts.ts";

const words = fc.uint32Array({ minLength: 0, maxLength: 200 });

test("as many bits as a naive count finds, whatever the words under one count", () => {
  const property = fc.property(words, fc.integer({ min: 1, max: 70 }), (bits, wordsPerCount) => {
    const counts = new Uint32Array(Math.floor(bits.length / wordsPerCount) + 1);
    popcounts(bits, wordsPerCount, counts);
    for (const [index, count] of counts.entries()) {
      const from = index * wordsPerCount;
      expect(count).toBe(popcount(bits, from, Math.min(from + wordsPerCount, bits.length)));
    }
  });
  fc.assert(property);
});

test("across what is counted at once, for the smallest and the largest counts", () => {
  const bits = new Uint32Array(100_003).map((_, index) => Math.imul(index, 2_654_435_761));
  for (const wordsPerCount of [1, 3, 32, 32_768]) {
    const counts = new Uint32Array(Math.ceil(bits.length / wordsPerCount));
    popcounts(bits, wordsPerCount, counts);
    const all = counts.reduce((sum, count) => sum + count, 0);
    expect(all).toBe(popcount(bits, 0, bits.length));
    expect(counts.at(-1)).toBe(popcount(bits, (counts.length - 1) * wordsPerCount, bits.length));
  }
});
