import { expect, test } from "bun:test";
import fc from "fast-check";
import { HASHED_PIECE, SegmentHasher, segmentHash } from "../../src/seekable/segment-hash.ts";

test("bytes that come one after the other have the hash of them all, however they are cut", () => {
  const hasher = new SegmentHasher();
  const sizes = fc.array(
    fc.oneof(
      fc.nat(3 * HASHED_PIECE),
      fc.integer({ min: -2, max: 2 }).map((more) => HASHED_PIECE + more),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(sizes, (parts) => {
      const all = new Uint8Array(parts.reduce((sum, size) => sum + size, 0));
      for (let at = 0; at < all.length; at += 1000) all[at] = at / 1000;
      hasher.clear();
      let at = 0;
      for (const size of parts) {
        hasher.add(all.subarray(at, at + size));
        at += size;
      }
      expect(hasher.length).toBe(all.length);
      expect(hasher.hash).toEqual(Buffer.from(segmentHash(all)));
    }),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 100) },
  );
});
