import { describe, expect } from "bun:test";
import fc from "fast-check";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import type { SeekableCodec, Segment } from "../../src/seekable/codec.ts";
import { memorySource } from "../memory-source.ts";
import { testWith } from "../require.ts";
import { expectSame } from "../source/stream-suite.ts";
import { type Indexed, indexed, segmentsOf } from "./indexed.ts";
import { fill, nasty } from "./nasty.ts";

export interface Tool {
  /** Compresses its standard input to its standard output. */
  readonly command: readonly string[];
  /** Damage anywhere is seen by the format's own checksums. */
  readonly hasChecksum: boolean;
  /** No mark tells the end: data cut short can look complete. */
  readonly isOpenEnded?: boolean;
  /** Streams one after the other are one. */
  readonly joins?: boolean;
}

const SPACINGS = [300, 4096, 60_000, 300_000];
/** Compressing and decoding for each of more than thirty tools takes most of the time. */
const RUNS = Number(process.env.PROPERTY_RUNS ?? 10);
const FLIPS = Number(process.env.PROPERTY_RUNS ?? 40);
/** At both ends of the data each byte is damaged once. */
const EDGE = 20;

export function compressed({ command }: Tool, content: Uint8Array): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { stdin: content });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout;
}

/** Several megabytes: the beginning of a segment is read by itself where it is a small part. */
const nastyAndLong = fc
  .array(nasty, { minLength: 1, maxLength: 3 })
  .map((stretches) => fill(stretches.flatMap((each) => [...each, ...LONG])));
const LONG = [
  { kind: "words", length: 900_000, seed: 1 },
  { kind: "counter", length: 700_000, seed: 2 },
] as const;

const sample = fill([
  { kind: "words", length: 30_000, seed: 5 },
  { kind: "noise", length: 3_000, seed: 6 },
  { kind: "again", length: 20_000, seed: 10_007 },
  { kind: "counter", length: 9_000, seed: 8 },
  { kind: "zeros", length: 20_000, seed: 8 },
  { kind: "words", length: 30_000, seed: 9 },
]);

/** What every codec keeps for what each tool writes. */
export function codecSuite(codec: SeekableCodec, tools: readonly Tool[]): void {
  const read = (bytes: Uint8Array, segment: Segment) =>
    codec.readSegment(memorySource(bytes), segment);
  const expectRight = async (bytes: Uint8Array, segment: Segment) =>
    expectSame(await read(bytes, segment), contentIn(segment));
  const expectRightOrFailed = (bytes: Uint8Array, segment: Segment) =>
    expectRightOrCorrupt(() => read(bytes, segment), contentIn(segment));

  describe.each(tools.map((tool) => [tool.command.join(" "), tool] as const))("%s", (_, tool) => {
    const check = (title: string, fn: () => Promise<void>) =>
      testWith([tool.command[0] as string], title, fn, 300_000);

    check("every segment is the content's, and a pass goes on from anywhere", async () => {
      const property = fc.asyncProperty(
        fc.array(nasty, { minLength: 1, maxLength: tool.joins ? 3 : 1 }),
        fc.constantFrom(...SPACINGS),
        fc.nat(),
        async (stretches, spacing, pick) => {
          const contents = stretches.map(fill);
          const bytes = Buffer.concat(contents.map((content) => compressed(tool, content)));
          await expectIndexed(codec, bytes, Buffer.concat(contents), spacing, pick);
        },
      );
      await fc.assert(property, { numRuns: RUNS });
    });

    check("the beginning of a segment is the content's", async () => {
      const property = fc.asyncProperty(nastyAndLong, fc.nat(), fc.nat(), async (content, a, b) => {
        const source = memorySource(compressed(tool, content));
        const index = await indexed(codec, source, 2_000_000);
        for (const segment of segmentsOf(index, source)) {
          for (const needed of [a, b].map((each) => 1 + (each % segment.length))) {
            const begun = await codec.readSegment(source, segment, needed);
            expect(begun.length).toBeGreaterThanOrEqual(needed);
            const { outOffset } = segment.from;
            expectSame(begun, content.subarray(outOffset, outOffset + begun.length));
          }
        }
      });
      await fc.assert(property, { numRuns: Math.ceil(RUNS / 4) });
    });

    check("nothing, and one byte", async () => {
      for (const content of [new Uint8Array(), Uint8Array.of(7)]) {
        await expectIndexed(codec, compressed(tool, content), content, 4096, 0);
      }
    });

    check("a pass over damaged data fails, or gives the right bytes", async () => {
      if (!tool.hasChecksum) return;
      await eachFlip(compressed(tool, sample), async (damaged) => {
        await expectRightOrCorrupt(async () => {
          const source = memorySource(damaged);
          const index = await indexed(codec, source, 10_000);
          return await contentOf(codec, damaged, index);
        });
      });
    });

    check("data damaged after the pass: an error or the right bytes, and only there", async () => {
      const bytes = compressed(tool, sample);
      const index = await indexed(codec, memorySource(bytes), 10_000);
      let turn = 0;
      await eachFlip(bytes, async (damaged, at) => {
        const isHit = ({ from, inEnd }: Segment) => at >= from.inOffset && at < inEnd;
        const segments = segmentsOf(index, memorySource(bytes));
        const others = segments.filter((segment) => !isHit(segment));
        for (const segment of segments.filter(isHit)) await expectRightOrFailed(damaged, segment);
        const other = others[turn++ % others.length];
        if (other) await expectRight(damaged, other);
      });
    });

    check("data cut after the pass: an error or the right bytes, and only there", async () => {
      const bytes = compressed(tool, sample);
      const index = await indexed(codec, memorySource(bytes), 10_000);
      for (let length = bytes.length - 1; length >= 0; length -= 1 + Math.floor(bytes.length / 8)) {
        const cut = bytes.subarray(0, length);
        for (const segment of segmentsOf(index, memorySource(bytes))) {
          if (segment.inEnd <= length) await expectRight(cut, segment);
          else await expectRightOrFailed(cut, segment);
        }
      }
    });

    check("a pass over data that end early fails", async () => {
      if (tool.isOpenEnded) return;
      const bytes = compressed(tool, sample);
      for (let length = bytes.length - 1; length > 0; length -= 1 + Math.floor(length / 20)) {
        const error = await indexed(codec, memorySource(bytes.subarray(0, length)), 10_000).catch(
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(ImageBackupError);
        expect((error as ImageBackupError).code).toBe("CORRUPT");
      }
    });
  });
}

export async function expectIndexed(
  codec: SeekableCodec,
  bytes: Uint8Array,
  content: Uint8Array,
  spacing: number,
  pick: number,
): Promise<Indexed> {
  const source = memorySource(bytes);
  const index = await indexed(codec, source, spacing);
  expect(index.outSize).toBe(content.length);
  expect(index.checkpoints[0]?.outOffset).toBe(0);
  expectSame(await contentOf(codec, bytes, index), content);
  const at = pick % index.checkpoints.length;
  const rest = await indexed(codec, source, spacing, index.checkpoints[at]);
  expect(rest.outSize).toBe(content.length);
  expect(rest.checkpoints.map(plain)).toEqual(index.checkpoints.slice(at + 1).map(plain));
  return index;
}

const contentIn = ({ from, length }: Segment) =>
  sample.subarray(from.outOffset, from.outOffset + length);

function plain({ state, ...place }: { readonly state: Uint8Array }) {
  return { ...place, state: Buffer.from(state).toString("hex") };
}

async function contentOf(
  codec: SeekableCodec,
  bytes: Uint8Array,
  index: Indexed,
): Promise<Uint8Array> {
  const source = memorySource(bytes);
  const segments: Uint8Array[] = [];
  for (const segment of segmentsOf(index, source)) {
    segments.push(await codec.readSegment(source, segment));
  }
  return Buffer.concat(segments);
}

async function eachFlip(
  bytes: Uint8Array,
  fn: (damaged: Uint8Array, at: number) => Promise<void>,
): Promise<void> {
  const step = Math.max(1, Math.floor(bytes.length / FLIPS));
  const isEdge = (at: number) => at < EDGE || at > bytes.length - EDGE;
  for (let at = 0; at < bytes.length; at += isEdge(at) ? 1 : step) {
    const damaged = Uint8Array.from(bytes);
    damaged[at] = (damaged[at] as number) ^ (1 << (at % 8));
    await fn(damaged, at);
  }
}

async function expectRightOrCorrupt(
  fn: () => Promise<Uint8Array>,
  right: Uint8Array = sample,
): Promise<void> {
  try {
    expectSame(await fn(), right);
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    expect(["CORRUPT", "UNSUPPORTED", "SHORT_READ"]).toContain(error.code);
  }
}
