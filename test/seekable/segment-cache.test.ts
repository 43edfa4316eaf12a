import { expect, test } from "bun:test";
import { SegmentCache } from "../../src/seekable/segment-cache.ts";

const SIZE = 2 ** 20;
const BUDGET = 32 * SIZE;

/** A cache whose segments all decode to `size` bytes, whatever is asked for, and what was decoded. */
function cacheOf(size: number) {
  const decoded: number[] = [];
  const cache = new SegmentCache(async (index) => {
    decoded.push(index);
    return new Uint8Array(size);
  });
  return { cache, decoded };
}

test("a codec that decoded more than was asked for is not asked again for that", async () => {
  const { cache, decoded } = cacheOf(SIZE);
  await cache.get(0, 1);
  expect((await cache.get(0, SIZE)).length).toBe(SIZE);
  expect(decoded).toEqual([0]);
});

test("what is kept counts as it is, not as it was asked for", async () => {
  const { cache, decoded } = cacheOf(SIZE);
  const fits = BUDGET / SIZE;
  for (let index = 0; index <= fits; index++) await cache.get(index, 1);
  decoded.length = 0;
  // The first had to go, the last is there.
  await cache.get(fits, 1);
  expect(decoded).toEqual([]);
  await cache.get(0, 1);
  expect(decoded).toEqual([0]);
});

test("one that is larger than all there is room for is given all the same", async () => {
  const { cache, decoded } = cacheOf(BUDGET + 1);
  expect((await cache.get(0, 1)).length).toBe(BUDGET + 1);
  expect((await cache.get(1, 1)).length).toBe(BUDGET + 1);
  await cache.get(0, 1);
  expect(decoded).toEqual([0, 1, 0]);
});

test("what failed is tried again", async () => {
  let fails = true;
  const cache = new SegmentCache(async () => {
    if (fails) throw new Error("the disk is away");
    return new Uint8Array(1);
  });
  const failed = cache.get(0, 1);
  expect(failed).rejects.toThrow("the disk is away");
  await failed.catch(() => {});
  fails = false;
  expect((await cache.get(0, 1)).length).toBe(1);
});
