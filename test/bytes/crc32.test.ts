import { expect, test } from "bun:test";
import fc from "fast-check";
import { CRC32_START, crc32Repeater, crc32Update } from "../../src/bytes/crc32.ts";

test("a byte fed count times is what feeding it one by one gives", () => {
  const state = fc.nat(0xffff_ffff);
  fc.assert(
    fc.property(fc.nat(5000), state, fc.nat(255), (count, from, byte) => {
      const naive = crc32Update(from, new Uint8Array(count).fill(byte));
      expect(crc32Repeater(count)(from, byte)).toBe(naive);
    }),
    { numRuns: 300 },
  );
});

test("64 MiB of a byte cost no memory", () => {
  const before = process.memoryUsage.rss();
  const feed = crc32Repeater(64 * 2 ** 20);
  expect(process.memoryUsage.rss() - before).toBeLessThan(16 * 2 ** 20);
  const piece = new Uint8Array(2 ** 20).fill(0xa5);
  let naive = CRC32_START;
  for (let done = 0; done < 64; done++) naive = crc32Update(naive, piece);
  expect(feed(CRC32_START, 0xa5)).toBe(naive);
});
