import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { checksumOf } from "../../src/partclone/checksums.ts";
import { describe } from "../../src/partclone/description.ts";
import { type Proof, parallelProof, proveParts } from "../../src/partclone/proof.ts";
import { OTHER_THREADS, prepareThreads } from "../../src/partclone/proof-threads.ts";
import { type Strip, walkStrips } from "../../src/partclone/strips.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";

const GOLDEN = join(import.meta.dir, "../golden");
const images = ["ext4-v1-crc32", "ext4-v2-crc32-k256", "ext4-v2-xxh64-k8", "ext4-v2-xxh128-k8"];

/** A copy of a golden image with a block's length of every 30,000 bytes damaged. */
function damagedCopy(stack: DisposableStack, image: string): string {
  const directory = mkdtempSync(join(tmpdir(), "vpartclone-proof-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const bytes = readFileSync(join(GOLDEN, `${image}.img`));
  for (let at = bytes.length - 5000; at > bytes.length * 0.6; at -= 30_000) {
    bytes.fill(0xdb, at, at + 4100);
  }
  const path = join(directory, "image");
  writeFileSync(path, bytes);
  return path;
}

async function proofOf(path: string, stripsAtOnce: number) {
  const file = openFile(path);
  const { layout } = await describe(new SourceStream(file));
  if (!layout) throw new Error("no layout");
  const { geometry } = layout;
  const checksum = await checksumOf(geometry);
  if (!checksum) throw new Error("no checksum");
  const strips = Math.ceil(geometry.usedBlocks / geometry.blocksPerChecksum);
  const parts = Math.ceil(strips / stripsAtOnce);
  const next = new Int32Array(new SharedArrayBuffer(4));
  const { name, fd, size } = file;
  const proof: Proof = { name, fd, size, geometry, stripsAtOnce, parts, next };
  return { file, geometry, checksum, proof };
}

test.each(images)("%s: several threads find what one finds, in the same order", async (image) => {
  using stack = new DisposableStack();
  const path = damagedCopy(stack, image);
  for (const stripsAtOnce of [1, 3]) {
    await using opened = closing(await proofOf(path, stripsAtOnce));
    const { file, geometry, checksum, proof } = opened;
    const alone: Strip[] = [];
    await walkStrips(new SourceStream(file, geometry.dataStart), geometry, checksum, {
      strip: (strip) => alone.push(strip),
    });
    const together: Strip[] = [];
    let good = 0;
    await proveParts(proof, (proved) => {
      good += proved.good;
      together.push(...proved.bad);
    });
    expect(together).toEqual(alone.filter(({ verdict }) => verdict !== "good"));
    expect(good).toBe(alone.length - together.length);
    expect(together.length).toBeGreaterThan(0);
  }
});

test("threads that were started ahead prove the same", async () => {
  using stack = new DisposableStack();
  const path = damagedCopy(stack, "ext4-v2-xxh64-k8");
  const large = join(dirname(path), "large");
  writeFileSync(large, "");
  truncateSync(large, 2 ** 28);
  const good: number[] = [];
  for (const [paths, count] of [
    [[], 0],
    [[path, large], OTHER_THREADS],
  ] as const) {
    expect(prepareThreads(paths)).toBe(count);
    await using opened = closing(await proofOf(path, 1));
    await proveParts(opened.proof, (proved) => good.push(proved.good));
  }
  const half = good.length / 2;
  expect(good.slice(half)).toEqual(good.slice(0, half));
});

test("no thread is started ahead for what is small, no file or not there", () => {
  const paths = [join(GOLDEN, `${images[0]}.img`), "/dev/zero", "/", "missing", "x".repeat(5000)];
  expect(prepareThreads(paths)).toBe(0);
});

test.each(["vconform", "vpartclone -c"])("%s ends when there was nothing to prove", (command) => {
  using stack = new DisposableStack();
  const large = join(dirname(damagedCopy(stack, "ext4-v2-none")), "large");
  writeFileSync(large, "");
  truncateSync(large, 2 ** 28);
  const [program = "", ...options] = command.split(" ");
  const script = join(import.meta.dir, `../../src/cli/${program}.ts`);
  const { stderr, exitCode } = Bun.spawnSync([process.execPath, script, ...options, large], {
    timeout: 20_000,
  });
  expect(stderr.toString()).toContain("large");
  expect(exitCode).toBe(program === "vconform" ? 3 : 1);
});

/** With the file closed at the end. */
function closing<T extends { readonly file: AsyncDisposable }>(opened: T): T & AsyncDisposable {
  return { ...opened, [Symbol.asyncDispose]: () => opened.file[Symbol.asyncDispose]() };
}

test("a file that became shorter is an error, whoever reads there", async () => {
  using stack = new DisposableStack();
  const path = damagedCopy(stack, "ext4-v2-xxh64-k8");
  await using opened = closing(await proofOf(path, 1));
  truncateSync(path, opened.geometry.dataStart + 5000);
  const proving = proveParts(opened.proof, () => {});
  expect(proving).rejects.toMatchObject({ code: "SHORT_READ" });
});

test("where no thread can have the file, one proves all of it", () => {
  const program = join(import.meta.dir, "prove-without-descriptors.ts");
  const image = join(GOLDEN, "ext4-v1-crc32.img");
  const limited = ["sh", "-c", 'ulimit -n 60; exec "$@"', "sh"];
  const { stdout, stderr } = Bun.spawnSync([...limited, process.execPath, program, image]);
  expect(stderr.toString()).toBe("");
  expect(stdout.toString()).toMatch(/^(\d+) of \1\n$/);
});

test("small images, pipes and checksums that run on are left to one thread", async () => {
  for (const image of [...images, "ext4-v2-xxh128-k8-noreseed", "ext4-v2-none"]) {
    await using file = openFile(join(GOLDEN, `${image}.img`));
    const stream = new SourceStream(file);
    const { layout } = await describe(stream);
    if (layout) expect(parallelProof(stream, layout.geometry)).toBeNull();
  }
});
