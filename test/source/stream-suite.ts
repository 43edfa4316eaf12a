import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ByteStream } from "../../src/source/source.ts";

/** Content in which no stretch looks like another, with long repeats between. */
export function mixedContent(size: number, seed = 1): Uint8Array {
  const content = new Uint8Array(size);
  let state = seed;
  for (let at = 0; at < size; at++) {
    const kind = (at >>> 14) % 4;
    if (kind === 3) continue;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    content[at] = kind === 0 ? state >>> 24 : at >>> kind;
  }
  return content;
}

export async function readAll(stream: ByteStream, pieceSize = 300_000): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = new Uint8Array(pieceSize);
    const count = await stream.read(piece);
    pieces.push(piece.subarray(0, count));
    if (count < pieceSize) return Buffer.concat(pieces);
  }
}

/** Equal without printing megabytes where they are not. */
export function expectSame(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length);
  expect(Buffer.compare(actual, expected)).toBe(0);
}

interface Step {
  readonly action: "read" | "peek" | "skip";
  readonly count: number;
}

const steps = fc.array(
  fc.record<Step>({
    action: fc.constantFrom("read", "peek", "skip"),
    count: fc.oneof(fc.nat(20), fc.nat(70_000), fc.nat(400_000)),
  }),
  { maxLength: 20 },
);

/** What every stream keeps: the same answers as a buffer with a position. */
export function streamSuite(title: string, open: (content: Uint8Array) => Promise<ByteStream>) {
  describe(title, () => {
    test.each([0, 1, 2, 65_535, 65_536, 65_537, 131_072, 262_143, 262_144, 262_145, 5_000_000])(
      "gives the %p bytes that are in it",
      async (size) => {
        const content = mixedContent(size);
        await using stream = await open(content);
        expectSame(await readAll(stream), content);
        expect(stream.position).toBe(size);
        expect(await stream.read(new Uint8Array(1))).toBe(0);
        if (stream.size !== null) expect(stream.size).toBe(size);
      },
      60_000,
    );

    test("answers read, peek and skip as a buffer would", async () => {
      const content = mixedContent(1_000_003);
      const property = fc.asyncProperty(steps, async (sequence) => {
        await using stream = await open(content);
        let position = 0;
        for (const step of sequence) position = await take(stream, content, position, step);
      });
      await fc.assert(property, { numRuns: 15 });
    }, 60_000);
  });
}

async function take(
  stream: ByteStream,
  content: Uint8Array,
  position: number,
  { action, count }: Step,
): Promise<number> {
  const expected = content.subarray(position, position + count);
  const next = action === "peek" ? position : position + expected.length;
  if (action === "skip") {
    expect(await stream.skip(count)).toBe(expected.length);
  } else {
    const into = new Uint8Array(count);
    expect(await stream[action](into)).toBe(expected.length);
    expectSame(into.subarray(0, expected.length), expected);
  }
  expect(stream.position).toBe(next);
  return next;
}
