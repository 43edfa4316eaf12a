import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import { type ExampleName, example, exampleParams } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { openImage } from "../../src/index.ts";
import { memorySource } from "../memory-source.ts";

const EXAMPLES = resolve(import.meta.dir, "../../examples");
const scratch = mkdtempSync(join(tmpdir(), "vpartclone-examples-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Large enough for byte 100,000, with a hole and a tail. */
const long = build({
  ...{ ...exampleParams["v2-xxh128"], blockSize: 4096, runs: [20, 3, 10, 33, 1, 3], tail: 512 },
  fsType: "NTFS",
});
const names: readonly ExampleName[] = ["v1-ntfs-tail", "v2-crc32", "ntfs-10.1", "ntfs-metadata"];
const fixtures: readonly Fixture[] = [long, ...names.map(example)];

const pathOf = (fixture: Fixture): string => join(scratch, `${fixtures.indexOf(fixture)}.img`);
beforeAll(() => {
  for (const fixture of fixtures) writeFileSync(pathOf(fixture), fixture.image);
});

/** Runs an example as its first lines say. */
function run(name: string, ...args: readonly string[]) {
  const cmd = [process.execPath, join(EXAMPLES, name), ...args];
  const { exitCode, stdout, stderr } = Bun.spawnSync({ cmd, cwd: scratch, stderr: "pipe" });
  return { status: exitCode, out: stdout, err: stderr.toString() };
}

const each = fixtures.map((fixture) => [fixture.name, fixture] as const);

describe.each(each)("%s", (_name, fixture) => {
  const image = pathOf(fixture);

  test("print-header.ts prints what toString() says", async () => {
    await using opened = await openImage(memorySource(fixture.image));
    const { status, out } = run("print-header.ts", image);
    expect({ status, out: out.toString() }).toEqual({ status: 0, out: `${opened}\n` });
  });

  test("restore.ts restores the partition", () => {
    const target = join(scratch, "restored");
    const { status, err } = run("restore.ts", image, target);
    expect({ status, end: err.split("\n").at(-2) }).toEqual({
      status: 0,
      end: expect.stringContaining(`${image}: 100 % of `),
    });
    expect(Buffer.compare(readFileSync(target), fixture.partition)).toBe(0);
  });

  test("deadbeef.ts fills what is not stored", () => {
    const expected = fixture.partition.slice();
    const stored = new Set(fixture.stored.map(({ block }) => block));
    for (let at = 0; at < expected.length; at++) {
      const intoBlock = at % fixture.blockSize;
      const filler = [0xde, 0xad, 0xbe, 0xef][intoBlock % 4] ?? 0;
      if (!stored.has(Math.floor(at / fixture.blockSize))) expected[at] = filler;
    }
    const { status, out, err } = run("deadbeef.ts", image);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(Buffer.compare(out, expected)).toBe(0);
  });

  test("read-range.ts reads 42 bytes at byte 100,000", () => {
    const bytes = Buffer.from(fixture.partition.subarray(100_000, 100_042));
    const { status, out } = run("read-range.ts", image);
    expect({ status, out: out.toString() }).toEqual({
      status: 0,
      out: `${(bytes.toString("hex").match(/../g) ?? []).join(" ")}\n`,
    });
  });
});

test("42 bytes are there to be read", () => {
  expect(long.partition.subarray(100_000, 100_042).some((byte) => byte !== 0)).toBe(true);
});

test("print-header.ts says what is wrong with a file that is no image", () => {
  const { status, err } = run("print-header.ts", join(EXAMPLES, "restore.ts"));
  expect(status).toBe(1);
  expect(err).toStartWith("Failed to read image: ");
  expect(err).toContain("is not a partclone or ntfsclone image");
});

test("each example is run here", () => {
  const tested = readFileSync(import.meta.path, "utf8");
  for (const name of readdirSync(EXAMPLES)) expect(tested).toContain(`run("${name}"`);
});
