import { afterAll, expect, test } from "bun:test";
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { SeekableCodec } from "../../src/seekable/codec.ts";
import { openSeekable } from "../../src/seekable/open-seekable.ts";
import { unsettledMs } from "../../src/seekable/saved-index.ts";
import type { SeekableSource } from "../../src/seekable/seekable-source.ts";
import { zstd } from "../../src/seekable/zstd/zstd.ts";
import { openStored } from "../../src/source/stored.ts";
import { expectSame } from "../source/stream-suite.ts";
import { fill } from "./nasty.ts";

const folder = mkdtempSync(join(tmpdir(), "vpartclone-seekable-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const LONG_AGO = new Date("2020-01-01");

/** Many segments: zstd's own, at a spacing for tests. */
const codec: SeekableCodec = { ...zstd, spacing: 20_000 };
const content = fill([
  { kind: "words", length: 300_000, seed: 1 },
  { kind: "noise", length: 50_000, seed: 2 },
  { kind: "again", length: 100_000, seed: 10_007 },
  { kind: "zeros", length: 200_000, seed: 3 },
  { kind: "words", length: 150_000, seed: 4 },
]);
const path = join(folder, "content.zst");
writeFileSync(path, Bun.zstdCompressSync(Uint8Array.from(content)));
utimesSync(path, LONG_AGO, LONG_AGO);

let directories = 0;
const newDirectory = () => join(folder, `indexes-${directories++}`);

async function opened(indexDirectory: string | null, log: string[] = []): Promise<SeekableSource> {
  return openSeekable(openStored(path), codec, { indexDirectory, log: (line) => log.push(line) });
}

async function readAll(source: SeekableSource): Promise<Uint8Array> {
  const bytes = new Uint8Array(content.length);
  await source.read(bytes, 0);
  return bytes;
}

/** A directory with the complete index, and its path. */
async function indexed() {
  const directory = newDirectory();
  await using source = await opened(directory);
  await readAll(source);
  await Bun.sleep(0);
  const [name = ""] = readdirSync(directory);
  return { directory, index: join(directory, name) };
}

test("any ranges, in any order and at once, while the data are indexed", async () => {
  const size = content.length;
  const range = fc
    .tuple(fc.nat(size - 1), fc.oneof(fc.nat(200), fc.nat(200_000)))
    .map(([at, length]) => [at, Math.min(length, size - at)] as const);
  const property = fc.asyncProperty(
    fc.array(range, { minLength: 1, maxLength: 12 }),
    async (ranges) => {
      await using source = await opened(null);
      const reads = ranges.map(async ([at, length]) => {
        const bytes = new Uint8Array(length);
        const cut = length >> 1;
        await source.readPieces([bytes.subarray(0, cut), bytes.subarray(cut)], at);
        expectSame(bytes, content.subarray(at, at + length));
      });
      await Promise.all(reads);
    },
  );
  await fc.assert(property, { numRuns: Number(process.env.PROPERTY_RUNS ?? 20) });
}, 120_000);

test("the size is known at the end, and a read behind it fails", async () => {
  await using source = await opened(null);
  expect(source.size).toBe(Infinity);
  const reads = await Promise.allSettled([
    source.read(new Uint8Array(2), content.length - 1),
    // As of what a layout has behind an end that is not known yet.
    source.readPieces([new Uint8Array(1), new Uint8Array(1)], Infinity),
  ]);
  const message = expect.stringContaining("ends at byte 800000, before bytes that are needed");
  for (const read of reads) {
    expect(read).toMatchObject({ status: "rejected", reason: { code: "SHORT_READ", message } });
  }
  expect(source.size).toBe(content.length);
});

test("a complete index is kept, and used again as it is", async () => {
  const { directory, index } = await indexed();
  expect(statSync(index).mode & 0o777).toBe(0o600);
  const before = readFileSync(index);
  await using source = await opened(directory);
  expect(source.size).toBe(content.length);
  expectSame(await readAll(source), content);
  expect(readFileSync(index).equals(before)).toBe(true);
});

test("an index that a process left behind is gone on with, at any byte it ends at", async () => {
  const { directory, index } = await indexed();
  const whole = readFileSync(index);
  // No process has this number: Linux goes up to 2^22.
  const left = `${index}.${2 ** 23}`;
  for (let { length } = whole; length > 0; length -= 1 + Math.floor(length / 7)) {
    renameSync(index, left);
    writeFileSync(left, whole.subarray(0, length));
    await using source = await opened(directory);
    expectSame(await readAll(source), content);
    // A read waits for no more than it needs: the last segment is known at the end.
    while (source.size === Infinity) await Bun.sleep(1);
    expect(readdirSync(directory)).toEqual([index.slice(directory.length + 1)]);
  }
}, 60_000);

test("of several that were left behind the furthest is gone on with, and at the end all go", async () => {
  const { directory, index } = await indexed();
  const whole = readFileSync(index);
  rmSync(index);
  // As after a power cut: the largest, and of no use.
  writeFileSync(`${index}.${2 ** 23}`, new Uint8Array(2 * whole.length), { mode: 0o600 });
  for (const share of [0.5, 0.9, 0.2]) {
    const left = whole.subarray(0, share * whole.length);
    writeFileSync(`${index}.${2 ** 23 + left.length}`, left, { mode: 0o600 });
  }
  await using source = await opened(directory);
  // All but the last of its records, which may be cut.
  const size = statSync(`${index}.${process.pid}`, { throwIfNoEntry: false })?.size ?? Infinity;
  expect(size).toBeGreaterThan(whole.length / 2);
  expectSame(await readAll(source), content);
  while (source.size === Infinity) await Bun.sleep(1);
  expect(readdirSync(directory)).toEqual([index.slice(directory.length + 1)]);
});

test("a damaged index is not believed", async () => {
  const { directory, index } = await indexed();
  const whole = readFileSync(index);
  for (let at = 0; at < whole.length; at += 1 + Math.floor(whole.length / 60)) {
    const damaged = Buffer.from(whole);
    damaged[at] = (damaged[at] as number) ^ 0x10;
    writeFileSync(index, damaged, { mode: 0o600 });
    await using source = await opened(directory);
    expectSame(await readAll(source), content);
  }
}, 60_000);

test.each([
  ["an index", async () => (await indexed()).directory],
  ["an index that was just made", newDirectory],
])("%s that is damaged while it is in use gives an error, and is removed", async (_, make) => {
  const directory = await make();
  await using source = await opened(directory);
  while (source.size === Infinity) await Bun.sleep(1);
  const index = join(directory, readdirSync(directory)[0] as string);
  truncateSync(index, 2000);
  appendFileSync(index, new Uint8Array(100_000));
  const read = readAll(source);
  expect(read).rejects.toThrow("its saved index is damaged, and is removed");
  await read.catch(() => {});
  expect(readdirSync(directory)).toEqual([]);
});

test.each([
  ["other times", () => utimesSync(path, LONG_AGO, new Date("2021-01-01"))],
  ["a file that was just written", () => utimesSync(path, new Date(), new Date())],
])("the index of %s is not used", async (_, change) => {
  const { directory, index } = await indexed();
  // Whoever believed it would fail.
  const before = readFileSync(index);
  change();
  try {
    await using source = await opened(directory);
    expect(source.size).toBe(Infinity);
    expectSame(await readAll(source), content);
    expect(readFileSync(index).equals(before)).toBe(true);
  } finally {
    utimesSync(path, LONG_AGO, LONG_AGO);
  }
});

test("a directory that others may write to keeps no index", async () => {
  const directory = mkdtempSync(join(folder, "shared-"));
  Bun.spawnSync(["chmod", "777", directory]);
  await using source = await opened(directory);
  expectSame(await readAll(source), content);
  expect(readdirSync(directory)).toEqual([]);
});

test("a directory that goes away meanwhile costs the index, nothing else", async () => {
  const directory = newDirectory();
  await using source = await opened(directory);
  rmSync(directory, { recursive: true });
  expectSame(await readAll(source), content);
  while (source.size === Infinity) await Bun.sleep(1);
});

test("a split image settles when its last piece does", () => {
  const whole = readFileSync(path);
  const piece = (suffix: string, bytes: Uint8Array, written: Date) => {
    const file = join(folder, `split.zst.${suffix}`);
    writeFileSync(file, bytes);
    utimesSync(file, written, written);
    return file;
  };
  const first = piece("aa", whole.subarray(0, 1000), LONG_AGO);
  piece("ab", whole.subarray(1000, 2000), LONG_AGO);
  expect(unsettledMs(openStored(first))).toBe(0);
  piece("ab", whole.subarray(1000, 2000), new Date());
  expect(unsettledMs(openStored(first))).toBeGreaterThan(0);
});
