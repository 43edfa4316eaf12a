import { afterAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { flip } from "../../fixtures-gen/break.ts";
import { build } from "../../fixtures-gen/build.ts";
import { encodeCrc32, partcloneCrc32 } from "../../fixtures-gen/checksums.ts";
import { type ExampleName, example, exampleParams } from "../../fixtures-gen/examples.ts";
import type { Fixture, FixtureParams } from "../../fixtures-gen/fixture.ts";
import { encodeV2 } from "../../fixtures-gen/partclone-v2.ts";
import { mountDirectory, mountNeeds, ROOT, until } from "../fuse/harness.ts";
import { byTitle, imageForms, writeImage } from "../image-forms.ts";
import { testWith } from "../require.ts";
import { direct, mountInBackground, mountInForeground } from "./mounted.ts";
import { linesOf, programs, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const TIMEOUT = 30_000;
const BLOCK = 4096;

/** 60 blocks of 4 KiB in runs, two strips and a short one of 25 blocks. */
const shape = { blockSize: BLOCK, runs: [20, 10, 30, 6, 10], blocksPerChecksum: 25 } as const;
const v1Shape = { blockSize: BLOCK, runs: shape.runs };

const provable: Readonly<Record<string, FixtureParams>> = {
  CRC32: { ...exampleParams["v2-crc32"], ...shape },
  "CRC32 without reseed": { ...exampleParams["v2-crc32-no-reseed"], ...shape },
  XXH64: { ...exampleParams["v2-xxh64"], ...shape },
  XXH128: { ...exampleParams["v2-xxh128"], ...shape },
  "big-endian XXH128": {
    ...exampleParams["v2-big-endian-xxh128"],
    ...shape,
    runs: [20, 10, 30, 6, 30, 32],
  },
  "a byte map": { ...exampleParams["v2-bitmap-bytes"], ...shape },
  "no bitmap": { ...exampleParams["v2-bitmap-none"], ...shape },
  "version 0001": { ...exampleParams["v1-plain"], ...v1Shape },
  "version 0001 with 8 bytes": { ...exampleParams["v1-checksums-8-bytes"], ...v1Shape },
};

/** Each block of the partition as it can be read, past the page cache: `null` where that fails. */
function readBlocks(file: string, { blockCount }: Fixture): (Uint8Array | null)[] {
  const fd = openSync(file, constants.O_RDONLY | constants.O_DIRECT);
  try {
    return Array.from({ length: blockCount }, (_, block) => readBlock(fd, block));
  } finally {
    closeSync(fd);
  }
}

function readBlock(fd: number, block: number): Uint8Array | null {
  const bytes = new Uint8Array(BLOCK);
  try {
    readSync(fd, bytes, 0, BLOCK, block * BLOCK);
    return bytes;
  } catch (error) {
    expect(error).toMatchObject({ code: "EIO" });
    return null;
  }
}

/** The blocks under a strip's checksum. */
function blocksOf({ strips, stored }: Fixture, number: number): Set<number> {
  const before = strips.slice(0, number).reduce((sum, { blocks }) => sum + blocks, 0);
  const count = strips[number]?.blocks ?? 0;
  return new Set(stored.slice(before, before + count).map(({ block }) => block));
}

function expectAllBut(
  blocks: readonly (Uint8Array | null)[],
  bad: ReadonlySet<number>,
  fixture: Fixture,
) {
  expect([...blocks.keys()].filter((block) => blocks[block] === null)).toEqual([...bad]);
  for (const [block, bytes] of blocks.entries()) {
    const truth = fixture.partition.subarray(block * BLOCK, (block + 1) * BLOCK);
    if (bytes) expect(Buffer.compare(bytes, truth)).toBe(0);
  }
}

describe.each(byTitle(imageForms))("--verify of %s images", (_, form) => {
  const write = (name: string, image: Uint8Array) => writeImage(form, files.path, name, image);

  for (const [title, params] of Object.entries(provable)) {
    testWith(
      mountNeeds(ROOT),
      `${title}: a sound image reads right; a bad strip gives EIO, said once`,
      async () => {
        const fixture = build(params);
        const path = write("sound", fixture.image);
        await using sound = mountInBackground(ROOT, "vpartclone", path, "--verify");
        expect(Buffer.compare(readFileSync(sound.file), fixture.partition)).toBe(0);

        const number = params.format === "partclone-v1" ? 33 : 1;
        const strip = fixture.strips[number];
        const image = write("bad", flip(fixture, strip?.imageOffset ?? 0));
        await using mounted = await mountInForeground(ROOT, "vpartclone", image, "--verify");
        const bad = blocksOf(fixture, number);
        expectAllBut(readBlocks(mounted.file, fixture), bad, fixture);
        // The verdict is remembered, and not said twice.
        const [block = 0] = bad;
        expect(direct(ROOT, mounted.file, block * BLOCK, BLOCK).err).toContain(
          "Input/output error",
        );
        await until(() => mounted.err().includes("differs"));
        const place = `the checksum of strip ${number} (from byte ${strip?.imageOffset} of the image) differs`;
        const said = linesOf(mounted.err()).filter((line) => /^vpartclone: (?!warning)/.test(line));
        expect(said).toEqual([expect.stringContaining(`bad: input/output error: ${place}`)]);
      },
      TIMEOUT,
    );
  }

  testWith(
    mountNeeds(ROOT),
    "each bad strip is said",
    async () => {
      const fixture = build({ ...exampleParams["v2-xxh64"], ...shape });
      const bytes = flip(fixture, fixture.strips[0]?.imageOffset ?? 0);
      const second = fixture.strips[2]?.checksumOffset ?? 0;
      bytes[second] = (bytes[second] ?? 0) ^ 1;
      const image = write("two", bytes);
      await using mounted = await mountInForeground(ROOT, "vpartclone", image, "--verify");
      const blocks = readBlocks(mounted.file, fixture);
      expectAllBut(blocks, new Set([...blocksOf(fixture, 0), ...blocksOf(fixture, 2)]), fixture);
      await until(() => mounted.err().includes("strip 2"));
      const said = mounted.err().match(/the checksum of strip \d/g);
      expect(said).toEqual(["the checksum of strip 0", "the checksum of strip 2"]);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(ROOT),
    "a running CRC32: a damaged value fails the next strip too, and says so",
    async () => {
      const fixture = build({ ...exampleParams["v2-crc32-no-reseed"], ...shape });
      const image = write("run", flip(fixture, fixture.strips[0]?.checksumOffset ?? 0));
      await using mounted = await mountInForeground(ROOT, "vpartclone", image, "--verify");
      const bad = new Set([...blocksOf(fixture, 0), ...blocksOf(fixture, 1)]);
      expectAllBut(readBlocks(mounted.file, fixture), bad, fixture);
      await until(() => mounted.err().includes("strip 1"));
      const next = fixture.strips[1]?.imageOffset;
      expect(mounted.err()).toContain(
        `the checksum of strip 1 (from byte ${next} of the image) differs, or the one stored before it is damaged`,
      );
    },
    TIMEOUT,
  );

  // Of a compressed one the image's own checksums are proved until the compressor's are.
  if (form.compress) return;
  testWith(
    mountNeeds(ROOT),
    "without it the same image is read as it is",
    async () => {
      const fixture = build({ ...exampleParams["v2-crc32"], ...shape });
      const image = write("trust", flip(fixture, fixture.strips[0]?.imageOffset ?? 0));
      await using mounted = mountInBackground(ROOT, "vpartclone", image);
      expect(direct(ROOT, mounted.file, 0, BLOCK).status).toBe(0);
    },
    TIMEOUT,
  );
});

const RUNS_ON = (checksum: string) =>
  `its ${checksum} checksums run on from the first block (no reseed), so proving any of them means reading all before it; check the whole image once with -c instead`;

const unprovable: readonly (readonly [name: ExampleName, why: string])[] = [
  ["v2-xxh64-no-reseed", RUNS_ON("XXH64")],
  ["v2-xxh128-no-reseed", RUNS_ON("XXH128")],
  ["v2-none", "it has no checksums"],
  ["ntfs-10.1", "ntfsclone's format has no checksums"],
  ["ntfs-metadata", "ntfsclone's format has no checksums"],
];

describe.each(unprovable)("--verify is refused for %s", (name, why) => {
  test.each(["in the background", "-d"])("%s", (mode) => {
    const path = files.file(`${name}.img`, example(name).image);
    using point = mountDirectory(ROOT);
    for (const program of programs) {
      const args = [path, "--verify", "-m", point.path, ...(mode === "-d" ? ["-d"] : [])];
      expect(runProgram(program, args)).toEqual({
        status: 1,
        out: "",
        err: `${program}: ${path}: --verify cannot prove this image: ${why}\n`,
      });
    }
  });
});

testWith(
  mountNeeds(ROOT),
  "a strip of 512 MiB is proved without being held in memory",
  async () => {
    const size = 512 * 2 ** 20;
    const small = build({ ...exampleParams["v2-crc32"], ...shape });
    await using plain = mountInBackground(
      ROOT,
      "vpartclone",
      files.file("small.img", small.image),
      "--verify",
    );
    readFileSync(plain.file);
    await using mounted = mountInBackground(
      ROOT,
      "vpartclone",
      oneStrip("large.img", size),
      "--verify",
    );
    const { status, bytes } = direct(ROOT, mounted.file, size - BLOCK, BLOCK);
    expect(status).toBe(0);
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    expect(peakMemory(mounted.pid) - peakMemory(plain.pid)).toBeLessThan(64 * 2 ** 20);
  },
  TIMEOUT,
);

/** A sparse image: `size` zeros under one checksum. */
function oneStrip(name: string, size: number): string {
  const used = size / BLOCK;
  const { image: header } = encodeV2({
    ...{ toolVersion: "0.3.23", fsType: "raw", byteOrder: "little", cpuBits: 64, blockSize: BLOCK },
    ...{ deviceSize: size, usedSuperblock: used, usedBitmap: used, reseed: true },
    ...{ checksumMode: "crc32", blocksPerChecksum: used, bitmapMode: "none" },
    ...{ bitmap: new Uint8Array(), present: new Uint8Array(used), partition: new Uint8Array() },
  });
  const path = join(files.path, name);
  const fd = openSync(path, "w");
  writeSync(fd, header);
  ftruncateSync(fd, header.length + size);
  writeSync(
    fd,
    encodeCrc32(partcloneCrc32(new Uint8Array(size)), "little"),
    0,
    4,
    header.length + size,
  );
  closeSync(fd);
  return path;
}

function peakMemory(pid: number): number {
  const [, kibibytes = "0"] =
    /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kibibytes) * 1024;
}

testWith(
  mountNeeds(ROOT),
  "a server in the background tells the system's log",
  async () => {
    const fixture = build({ ...exampleParams["v2-crc32"], ...shape });
    const image = files.file("log.img", flip(fixture, fixture.strips[1]?.imageOffset ?? 0));
    const log = join(files.path, "log");
    chmodSync(files.file("logger", `#!/bin/sh\nprintf '%s\\n' "$*" >> ${log}\n`), 0o755);
    const path = process.env.PATH;
    process.env.PATH = `${files.path}:${path}`;
    try {
      await using mounted = mountInBackground(ROOT, "vpartclone", image, "--verify");
      readBlocks(mounted.file, fixture);
      const said = () => (Bun.file(log).size > 0 ? readFileSync(log, "utf8") : "");
      await until(() => said().endsWith("\n"));
      const place = `strip 1 (from byte ${fixture.strips[1]?.imageOffset} of the image) differs`;
      expect(said()).toBe(
        `-t vpartclone[${mounted.pid}] -p user.err -- log: input/output error: the checksum of ${place}\n`,
      );
    } finally {
      process.env.PATH = path;
    }
  },
  TIMEOUT,
);
