import { afterAll, describe, expect } from "bun:test";
import { readFileSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import { exampleParams } from "../../fixtures-gen/examples.ts";
import { isRight, readRange } from "../faults/command.ts";
import { mountNeeds, ROOT, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { type CompressorName, compressed, compressors } from "./compressors.ts";
import { mountInBackground } from "./mounted.ts";
import { linesOf, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const TIMEOUT = 120_000;
const LONG_AGO = new Date("2020-01-01");

/** Several segments of every codec, and nothing in the image itself that would see damage. */
const fixture = build({ ...exampleParams["v2-none"], blockSize: 4096, runs: [2500, 200, 2500] });
const READ = 256 * 1024;
const PLACE = /img: the \w+ data is damaged or incomplete near byte (\d+) of the compressed file: /;

/** Reads all: each part gives what the partition has there, or an error; returns which gave one. */
function failuresIn(file: string): number[] {
  const failed: number[] = [];
  for (let at = 0; at < fixture.partition.length; at += READ) {
    const bytes = readRange(file, at, Math.min(READ, fixture.partition.length - at));
    if (bytes === "EIO") failed.push(at);
    else expect(isRight(bytes, fixture, at)).toBe(true);
  }
  return failed;
}

async function placeIn(log: string): Promise<number> {
  await until(() => PLACE.test(readFileSync(log, "utf8")));
  return Number(PLACE.exec(readFileSync(log, "utf8"))?.[1]);
}

/** The others, as these tools write them, are one unit that is read as a whole. */
const hasParts = (by: CompressorName) => !["lzma", "xz", "lzip"].includes(by);

describe.each((Object.keys(compressors) as CompressorName[]).filter(hasParts))("%s", (by) => {
  const [tool] = compressors[by];
  const whole = compressed(by, fixture.image);

  testWith(
    [tool, ...mountNeeds(ROOT)],
    "damaged since it was indexed: errors where the damage is, said with its place, and nowhere else",
    async () => {
      const indexes = ["--index-dir", join(files.path, "indexes")];
      const path = files.file(`${by}.img`, whole);
      utimesSync(path, LONG_AGO, LONG_AGO);
      expect(runProgram("vpartclone", ["--index", "-q", path, ...indexes]).status).toBe(0);
      const middle = whole.length >> 1;
      files.file(`${by}.img`, Uint8Array.from(whole).fill(0x55, middle, middle + 20));
      utimesSync(path, LONG_AGO, LONG_AGO);

      const log = files.file("log", "");
      await using mounted = mountInBackground(ROOT, "vpartclone", path, "--log", log, ...indexes);
      const failed = failuresIn(mounted.file);
      expect(failed.length).toBeGreaterThan(0);
      expect(failed.length).toBeLessThan(fixture.partition.length / READ / 1.5);
      expect(Math.abs((await placeIn(log)) - middle)).toBeLessThan(whole.length / 1.5);
      expect(linesOf(readFileSync(log, "utf8"))).toHaveLength(1);
    },
    TIMEOUT,
  );

  testWith(
    [tool, ...mountNeeds(ROOT)],
    "cut short: what is there is read, the rest gives errors, said with the place",
    async () => {
      const cut = Math.floor(whole.length * 0.7);
      const path = files.file(`${by}.img`, whole.subarray(0, cut));
      const log = files.file("log", "");
      await using mounted = mountInBackground(ROOT, "vpartclone", path, "--log", log);
      const failed = failuresIn(mounted.file);
      expect(failed.length).toBeGreaterThan(0);
      expect(failed.length).toBeLessThan(fixture.partition.length / READ);
      expect(Math.abs((await placeIn(log)) - cut)).toBeLessThan(whole.length / 2);
    },
    TIMEOUT,
  );
});
