import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExampleName, example } from "../../fixtures-gen/examples.ts";
import { humanSize } from "../../src/bytes/sizes.ts";
import { mountDirectory, mountNeeds, ROOT, run, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { type CompressorName, compressed, compressors } from "./compressors.ts";
import { mountInBackground } from "./mounted.ts";
import { linesOf, type ProgramName, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const TIMEOUT = 60_000;
const LONG_AGO = new Date("2020-01-01");

const images: readonly (readonly [ExampleName, ProgramName])[] = [
  ["v1-ntfs-tail", "vpartclone"],
  ["v2-xxh128", "vpartclone"],
  ["v2-none", "vpartclone"],
  ["ntfs-10.1", "vntfsclone"],
];

/** Mounts, and gives what the partition's file holds, or why it cannot be read. */
function contentOf(program: ProgramName, path: string, name: string, ...options: string[]) {
  using point = mountDirectory(ROOT);
  const { status, err } = runProgram(program, [path, "-m", point.path, ...options]);
  expect({ status, err }).toEqual({ status: 0, err: "" });
  try {
    return readFileSync(join(point.path, name));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    expect(run(ROOT, "umount", point.path).code).toBe(0);
  }
}

for (const by of Object.keys(compressors) as CompressorName[]) {
  const [tool] = compressors[by];
  for (const [name, program] of images) {
    testWith(
      [tool, ...mountNeeds(ROOT)],
      `${by}: -m shows the partition of ${name}`,
      () => {
        const { image, partition } = example(name);
        const path = files.file(`${name}-${by}.img.zz`, compressed(by, image));
        const content = contentOf(program, path, `${name}-${by}.img.zz`);
        expect(Buffer.compare(content as Buffer, partition)).toBe(0);
      },
      TIMEOUT,
    );
  }
}

describe("a compressed image that is mounted", () => {
  const { image, partition } = example("v2-xxh128");
  const whole = Bun.zstdCompressSync(image);

  testWith(
    mountNeeds(ROOT),
    "in pieces, named after neither them nor the compressor",
    () => {
      const folder = join(files.path, "pieces");
      mkdirSync(folder);
      const half = Math.ceil(whole.length / 2);
      ["aa", "ab"].forEach((suffix, index) => {
        const piece = whole.subarray(index * half, (index + 1) * half);
        writeFileSync(join(folder, `sda1.ext4-ptcl-img.zst.${suffix}`), piece);
      });
      const first = join(folder, "sda1.ext4-ptcl-img.zst.aa");
      const content = contentOf("vpartclone", first, "sda1.ext4-ptcl-img");
      expect(Buffer.compare(content as Buffer, partition)).toBe(0);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(ROOT),
    "keeps its index where it is told to, and uses it again",
    () => {
      const path = files.file("kept.img.zst", whole);
      utimesSync(path, LONG_AGO, LONG_AGO);
      const directory = join(files.path, "indexes");
      contentOf("vpartclone", path, "kept", "--no-index-cache");
      expect(contentOf("vpartclone", path, "kept", "--index-dir", directory)).toHaveLength(
        partition.length,
      );
      const [index = "", ...others] = readdirSync(directory);
      expect(others).toEqual([]);
      expect(index).toMatch(/^[0-9a-f]{32}\.index$/);
      const before = readFileSync(join(directory, index));
      const content = contentOf("vpartclone", path, "kept", "--index-dir", directory);
      expect(Buffer.compare(content as Buffer, partition)).toBe(0);
      expect(readFileSync(join(directory, index)).equals(before)).toBe(true);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(ROOT),
    "is indexed ahead by --index, and then mounted with that index",
    () => {
      const path = files.file("ahead.img.zst", whole);
      const directory = join(files.path, "ahead");
      const index = () =>
        runProgram("vpartclone", [path, "--index", "-q", "--index-dir", directory]);
      const { status, out, err } = index();
      expect({ status, err }).toEqual({ status: 0, err: "" });
      const kept = join(directory, readdirSync(directory)[0] ?? "");
      const size = humanSize(statSync(kept).size);
      expect(out).toBe(`${path}: indexed (${size} in ${kept})\n`);
      const before = statSync(kept);
      expect(index().out).toBe(out);
      const content = contentOf("vpartclone", path, "ahead", "--index-dir", directory);
      expect(Buffer.compare(content as Buffer, partition)).toBe(0);
      expect(readdirSync(directory)).toHaveLength(1);
      const { ino, mtimeMs } = statSync(kept);
      expect({ ino, mtimeMs }).toEqual({ ino: before.ino, mtimeMs: before.mtimeMs });
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(ROOT),
    "gives an error for what its own checksums find, where those of the compressor are missing",
    () => {
      const half = image.length >> 1;
      // The content is noise, which is stored as it is.
      const behind = Bun.zstdCompressSync(image.subarray(half)).fill(0x55, 100, 120);
      const frames = [Bun.zstdCompressSync(image.subarray(0, half)), behind];
      const path = files.file("damaged.img.zst", Buffer.concat(frames));
      const log = join(files.path, "damaged.log");
      expect(contentOf("vpartclone", path, "damaged", "--log", log)).toBe("EIO");
      expect(readFileSync(log, "utf8")).toContain("input/output error: the checksum of strip 2");
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(ROOT),
    "gives errors only, where the compressor's checksum differs and it has none of its own",
    async () => {
      const begin = Bun.gzipSync(Uint8Array.from(example("v2-none").image));
      // Far behind what describes the image, which nobody would mount else.
      const noise = Bun.gzipSync(crypto.getRandomValues(new Uint8Array(60_000)));
      const wrong = noise.slice().fill(0, -8, -4);
      const members = [begin, ...Array.from({ length: 50 }, () => noise), wrong];
      const path = files.file("none.img.gz", Buffer.concat(members));
      const log = files.file("none.log", "");
      await using mounted = mountInBackground(ROOT, "vpartclone", path, "--log", log);
      const said = `${path}: the gzip data is damaged or incomplete near byte`;
      await until(() => readFileSync(log, "utf8").includes(said));
      const read = run(ROOT, "cat", join(mounted.mountPoint, "none"));
      expect(read.code).toBe(1);
      expect(read.err).toContain("Input/output error");
    },
    TIMEOUT,
  );
});

describe("--index", () => {
  const { image } = example("v2-xxh128");
  const index = (path: string, ...options: string[]) =>
    runProgram("vpartclone", [path, "--index", "-q", ...options]);

  test("of an image that is not compressed has nothing to do", () => {
    const path = files.file("plain.img", image);
    const out = `${path}: is not compressed and needs no index\n`;
    expect(index(path)).toEqual({ status: 0, out, err: "" });
  });

  test("of damaged data says so, and keeps nothing", () => {
    const path = files.file("cut.img.zst", Bun.zstdCompressSync(image).subarray(0, -100));
    utimesSync(path, LONG_AGO, LONG_AGO);
    const directory = join(files.path, "of-damaged");
    const { status, out, err } = index(path, "--index-dir", directory);
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(err).toContain(`${path}: the zstd data is damaged or incomplete`);
    expect(linesOf(err)).toHaveLength(1);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("where no index can be kept asks for a place", () => {
    const path = files.file("placeless.img.zst", Bun.zstdCompressSync(image));
    utimesSync(path, LONG_AGO, LONG_AGO);
    const place = files.file("a-file", "");
    const why = `${place}: is not yours, or cannot be written`;
    const err = `vpartclone: ${why}; say where to keep the index with --index-dir DIR\n`;
    expect(index(path, "--index-dir", place)).toEqual({ status: 1, out: "", err });
  });

  test("of a file from the future says why not", () => {
    const path = files.file("future.img.zst", Bun.zstdCompressSync(image));
    const future = new Date(Date.now() + 3_600_000);
    utimesSync(path, future, future);
    const { status, err } = index(path, "--index-dir", join(files.path, "future"));
    expect(status).toBe(1);
    expect(err).toContain(`${path}: its time is in the future`);
  });
});

test.each([
  [["--index-dir", ""], "--index-dir takes a directory"],
  [["--index-dir", "/x"], "--index-dir needs -m DIR or --index"],
  [["--no-index-cache"], "--no-index-cache needs -m DIR"],
  [
    ["--no-index-cache", "--index-dir", "/x"],
    "--index-dir and --no-index-cache exclude each other",
  ],
])("%j is refused", (options, why) => {
  const { status, err } = runProgram("vpartclone", ["x.img", "-v", ...options]);
  expect(status).toBe(2);
  expect(err).toStartWith(`vpartclone: ${why}; usage: `);
});
