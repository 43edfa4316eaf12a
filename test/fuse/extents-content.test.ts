import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  bytesContent,
  contentFrom,
  type Extent,
  extentsContent,
} from "../../src/fuse/extents-content.ts";
import { lazyFile } from "../../src/fuse/lazy-file.ts";
import { patternBytes, patternFile } from "./pattern.ts";

interface Part {
  readonly gap: number;
  readonly length: number;
  readonly more: number;
  readonly isPattern: boolean;
  /** Bytes of the content before those that count. */
  readonly skipped: number;
}

/** Extents with gaps between them, the same as one buffer, and which bytes of that are data. */
function composed(parts: readonly Part[], tail: number) {
  let at = 0;
  const extents: Extent[] = [];
  const pieces: Uint8Array[] = [];
  for (const { gap, length, more, isPattern, skipped } of parts) {
    const pattern = { name: "x", size: skipped + length + more, holes: [] };
    const bytes = patternBytes(pattern);
    at += gap;
    extents.push({
      start: at,
      length,
      content: contentFrom(isPattern ? patternFile(pattern) : bytesContent(bytes), skipped),
    });
    pieces.push(new Uint8Array(gap), bytes.subarray(skipped, skipped + length));
    at += length;
  }
  pieces.push(new Uint8Array(tail));
  return { extents, whole: Buffer.concat(pieces), size: at + tail };
}

const part = fc.record({
  gap: fc.nat(300),
  length: fc.integer({ min: 1, max: 5_000 }),
  more: fc.nat(600),
  isPattern: fc.boolean(),
  skipped: fc.nat(700),
});

test("extents read as their contents, and as zeros where there are none", async () => {
  const read = fc.tuple(fc.nat(40_000), fc.nat(9_000));
  const property = fc.asyncProperty(
    fc.array(part, { maxLength: 8 }),
    fc.nat(500),
    fc.array(read, { minLength: 1 }),
    async (parts, tail, reads) => {
      const { extents, whole, size } = composed(parts, tail);
      const content = extentsContent(size, extents);
      for (const [offset, length] of reads) {
        const into = new Uint8Array(length).fill(0xa5);
        const got = await content.read(into, offset);
        const expected = whole.subarray(offset, offset + length);
        expect(got).toBe(expected.length);
        expect(Buffer.compare(into.subarray(0, got), expected)).toBe(0);
      }
    },
  );
  await fc.assert(property);
});

test("whoever skips the holes misses nothing", async () => {
  const property = fc.asyncProperty(
    fc.array(part, { maxLength: 8 }),
    fc.nat(500),
    async (parts, tail) => {
      const { extents, whole, size } = composed(parts, tail);
      const content = extentsContent(size, extents);
      const copy = new Uint8Array(size);
      for (let at = 0; at < size; ) {
        const data = await content.nextData(at);
        if (data === null) break;
        const hole = await content.nextHole(data);
        expect(hole).toBeGreaterThan(data);
        await content.read(copy.subarray(data, hole), data);
        at = hole;
      }
      expect(Buffer.compare(copy, whole)).toBe(0);
    },
  );
  await fc.assert(property);
});

test("a content that cannot be opened fails its readers only, and counts as data", async () => {
  const good = patternFile({ name: "good", size: 100, holes: [] });
  const bad = lazyFile(good, () => Promise.reject(new Error("not now")));
  const content = extentsContent(300, [
    { start: 0, length: 100, content: bad },
    { start: 200, length: 100, content: good },
  ]);
  expect(await content.read(new Uint8Array(100), 200)).toBe(100);
  expect(await content.nextData(0)).toBe(0);
  await expect(content.read(new Uint8Array(10), 0)).rejects.toThrow("not now");
});

test("a content that has become shorter fails its readers: they do not get zeros", async () => {
  const content = extentsContent(300, [
    { start: 100, length: 100, content: bytesContent(new Uint8Array(50).fill(1)) },
  ]);
  expect(await content.read(new Uint8Array(150), 0)).toBe(150);
  await expect(content.read(new Uint8Array(151), 0)).rejects.toThrow("ends early");
});
