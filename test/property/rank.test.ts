import { expect, test } from "bun:test";
import fc from "fast-check";
import { RankIndex, sharedWords } from "../../src/image/rank.ts";
import { numRuns, propertyTimeout } from "./runs.ts";

const indexSizes = fc.oneof(fc.integer({ min: 32, max: 4096 }), fc.constantFrom(2 ** 16, 2 ** 20));
const bitmaps = fc.array(fc.tuple(fc.nat(200), fc.boolean()), { minLength: 1, maxLength: 40 });

test(
  "rank, select and run length equal a naive count, for every index size",
  () => {
    const property = fc.property(bitmaps, indexSizes, (runs, indexSize) => {
      const present = runs.flatMap(([length, value]) => new Array<boolean>(length).fill(value));
      const words = sharedWords(present.length);
      present.forEach((value, block) => {
        const word = Math.floor(block / 32);
        if (value) words[word] = (words[word] ?? 0) | (1 << (block % 32));
      });
      const index = RankIndex.build(words, present.length, indexSize);
      let rank = 0;
      present.forEach((value, block) => {
        expect(index.rank(block)).toBe(rank);
        expect(index.has(block)).toBe(value);
        const change = present.indexOf(!value, block);
        const length = (change < 0 ? present.length : change) - block;
        expect(index.runLength(block, 1000)).toBe(Math.min(length, 1000));
        expect(index.runLength(block, 3)).toBe(Math.min(length, 3));
        if (value) expect(index.select(rank++)).toBe(block);
      });
      expect(index.population).toBe(rank);
    });
    fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test("counts stay exact across block 2^31 and 2^32, where bitwise operators wrap", () => {
  const blockCount = 2 ** 32 + 64;
  const words = sharedWords(blockCount);
  const present = [0, 2 ** 31 - 1, 2 ** 31, 2 ** 31 + 33, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 40];
  for (const block of present) {
    const word = Math.floor(block / 32);
    words[word] = (words[word] ?? 0) | (1 << (block % 32));
  }
  const index = RankIndex.build(words, blockCount);
  expect(index.population).toBe(present.length);
  present.forEach((block, rank) => {
    expect(index.rank(block)).toBe(rank);
    expect(index.rank(block + 1)).toBe(rank + 1);
    expect(index.has(block)).toBe(true);
    expect(index.select(rank)).toBe(block);
  });
  expect(index.runLength(2 ** 32 - 2, 10)).toBe(1);
  expect(index.runLength(2 ** 32 - 1, 10)).toBe(2);
}, 60_000);
