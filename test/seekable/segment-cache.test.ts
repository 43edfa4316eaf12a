import { expect, test } from "bun:test";
import fc from "fast-check";
import { SegmentCache } from "../../src/seekable/segment-cache.ts";

const SIZE = 2 ** 20;
const BUDGET = 32 * SIZE;

/** Reads a segment, and lets it go. */
async function lengthRead(cache: SegmentCache, index: number, needed: number): Promise<number> {
  using held = await cache.get(index, needed);
  return held.content.length;
}

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
  await lengthRead(cache, 0, 1);
  expect(await lengthRead(cache, 0, SIZE)).toBe(SIZE);
  expect(decoded).toEqual([0]);
});

test("what is kept counts as it is, not as it was asked for", async () => {
  const { cache, decoded } = cacheOf(SIZE);
  const fits = BUDGET / SIZE;
  for (let index = 0; index <= fits; index++) await lengthRead(cache, index, 1);
  decoded.length = 0;
  // The first had to go, the last is there.
  await lengthRead(cache, fits, 1);
  expect(decoded).toEqual([]);
  await lengthRead(cache, 0, 1);
  expect(decoded).toEqual([0]);
});

test("one that is larger than all there is room for is given all the same", async () => {
  const { cache, decoded } = cacheOf(BUDGET + 1);
  expect(await lengthRead(cache, 0, 1)).toBe(BUDGET + 1);
  expect(await lengthRead(cache, 1, 1)).toBe(BUDGET + 1);
  await lengthRead(cache, 0, 1);
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
  expect(await lengthRead(cache, 0, 1)).toBe(1);
});

test("what has to go gives its memory back, once nobody holds it", async () => {
  const { cache } = cacheOf(BUDGET);
  const held = await cache.get(0, 1);
  const { content } = held;
  await lengthRead(cache, 1, 1);
  expect(content.length).toBe(BUDGET);
  held[Symbol.dispose]();
  await Bun.sleep(0);
  expect(content.length).toBe(0);
});

test("one that is kept stays, however often it was let go", async () => {
  const { cache } = cacheOf(SIZE);
  await lengthRead(cache, 0, 1);
  using held = await cache.get(0, SIZE);
  await lengthRead(cache, 0, SIZE);
  await Bun.sleep(0);
  expect(held.content.length).toBe(SIZE);
});

test("whoever holds a segment has its bytes, whatever others read meanwhile", async () => {
  const size = 5 * SIZE;
  const reads = fc.array(
    fc.record({
      index: fc.nat(8),
      needed: fc.integer({ min: 1, max: size }),
      // Turns of the event loop until it is decoded, and until it is let go.
      decoding: fc.nat(3),
      holding: fc.nat(3),
      isPrefetch: fc.boolean(),
    }),
    { maxLength: 24 },
  );
  const turns = async (count: number) => {
    for (let left = count; left > 0; left--) await Bun.sleep(0);
  };
  const property = fc.asyncProperty(reads, async (sequence) => {
    let decoding = 0;
    let fails = false;
    const alive = new Set<Uint8Array>();
    const cache = new SegmentCache(async (index, needed) => {
      await turns(decoding);
      if (fails) throw new Error("the disk is away");
      const content = new Uint8Array(needed).fill(index);
      alive.add(content);
      return content;
    });
    const read = async ({ index, needed, holding, isPrefetch }: (typeof sequence)[number]) => {
      if (isPrefetch) return cache.prefetch(index, size);
      using held = await cache.get(index, needed);
      await turns(holding);
      expect(held.content.length).toBeGreaterThanOrEqual(needed);
      expect(held.content[0]).toBe(index);
      expect(held.content[needed - 1]).toBe(index);
    };
    const running: Promise<void>[] = [];
    for (const one of sequence) {
      ({ decoding } = one);
      fails = one.holding === 3;
      const isFailure = (error: Error) => expect(error.message).toBe("the disk is away");
      running.push(read(one).catch(isFailure));
      if (one.decoding === 0) await turns(1);
    }
    await Promise.all(running);
    await turns(1);
    // Small ones are left to the collector.
    const left = [...alive].map(({ length }) => length).filter((length) => length >= SIZE);
    expect(left.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(BUDGET);
  });
  await fc.assert(property, { numRuns: Number(process.env.PROPERTY_RUNS ?? 100) });
});
