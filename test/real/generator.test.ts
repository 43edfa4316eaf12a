import { afterAll, describe, expect } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { anyImage } from "../../fixtures-gen/arbitraries.ts";
import { flip, last } from "../../fixtures-gen/break.ts";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { example, exampleNames } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { testWith } from "../require.ts";
import { readFormatRules } from "../spec-pages.ts";
import { run } from "./stage.ts";

/** The real tools judge the generator: what it calls sound they read, to the same partition. */

type Judge = keyof Fixture["judges"];

const COMMANDS: Record<Judge, string> = {
  chkimg: "partclone.chkimg",
  restore: "partclone.restore",
  ntfsclone: "ntfsclone",
};

const runs = Number(process.env.PROPERTY_RUNS ?? 200);
/** A command takes some 10 ms. */
const TIMEOUT = 60_000 + 100 * runs;

const scratch = mkdtempSync(join(tmpdir(), "generator-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const imagePath = join(scratch, "image");
const restoredPath = join(scratch, "restored");

/** -f 0: the thread that shows the progress sleeps for no second, and the tool waits for it. */
const partcloneFlags = ["-f", "0", "-B", "-L", join(scratch, "log")];

const ARGV: Record<Judge, readonly string[]> = {
  chkimg: [COMMANDS.chkimg, ...partcloneFlags, "-s", imagePath],
  restore: [COMMANDS.restore, ...partcloneFlags, "-q", "-W", "-s", imagePath, "-O", restoredPath],
  ntfsclone: [COMMANDS.ntfsclone, "--restore-image", "--overwrite", restoredPath, imagePath],
};

function judge(by: Judge, image: Uint8Array) {
  writeFileSync(imagePath, image);
  rmSync(restoredPath, { force: true });
  return run(ARGV[by]);
}

/**
 * The restored file, continued with zeros: ntfsclone ends it after the last cluster it writes, and
 * partclone after the last block if that one is present.
 */
function restored(deviceSize: number): Uint8Array {
  const bytes = existsSync(restoredPath) ? readFileSync(restoredPath) : new Uint8Array();
  expect(bytes.length).toBeLessThanOrEqual(deviceSize);
  const whole = new Uint8Array(deviceSize);
  whole.set(bytes);
  return whole;
}

function expectReadBy(by: Judge, fixture: Fixture): void {
  const { status, output } = judge(by, fixture.image);
  expect({ name: fixture.name, status, output }).toMatchObject({ name: fixture.name, status: 0 });
  if (by === "chkimg") return;
  expect(Buffer.compare(restored(fixture.deviceSize), fixture.partition)).toBe(0);
}

function expectRefusedBy(by: Judge, image: Uint8Array): void {
  expect(judge(by, image).status).not.toBe(0);
}

const judges = Object.keys(COMMANDS) as readonly Judge[];
const MIXED_SEED = 2026;

describe.each(judges.map((by) => [by] as const))("%s", (by) => {
  testWith(
    [COMMANDS[by]],
    `reads ${runs} generated images as the generator does`,
    () => {
      const readable = anyImage().filter((fixture) => fixture.judges[by]);
      const property = fc.property(readable, (fixture) => expectReadBy(by, fixture));
      fc.assert(property, { seed: MIXED_SEED, numRuns: runs });
    },
    TIMEOUT,
  );

  testWith(
    [COMMANDS[by]],
    "reads the examples it is said to read, and no others",
    () => {
      const ofItsFormat = exampleNames
        .map(example)
        .filter(({ format }) => (format === "ntfsclone") === (by === "ntfsclone"));
      for (const fixture of ofItsFormat) {
        if (fixture.judges[by]) expectReadBy(by, fixture);
        else if (isDescribedVersion(by)) expectRefusedBy(by, fixture.image);
      }
    },
    TIMEOUT,
  );
});

/** The versions spec/ speaks of: others may refuse more, or less. */
function isDescribedVersion(by: Judge): boolean {
  const { output } = run([COMMANDS[by], "--version"]);
  return output.includes(by === "ntfsclone" ? "2022.10.3" : "0.3.23");
}

const REFUSED = / refuses it/;

describe("what spec/ says of the judges", () => {
  for (const { id, fields } of readFormatRules()) {
    const by: Judge = id.startsWith("NTC-") ? "ntfsclone" : "chkimg";
    const verdict = fields.get("judge") ?? "";
    testWith([COMMANDS[by]], `${id}: ${verdict}`, () => {
      const broken = brokenImage(id);
      if (broken === null) throw new Error(`no image breaks ${id}`);
      if (REFUSED.test(verdict)) return expectRefusedBy(by, broken.image);
      // A tool that cannot read the sound example has nothing to say.
      if (!broken.fixture.judges[by] || !isDescribedVersion(by)) return;
      expect(judge(by, broken.image).status).toBe(0);
    });
  }

  testWith([COMMANDS.chkimg], "chkimg forgets the last, short strip (PC2-CHECKSUM)", () => {
    if (!isDescribedVersion("chkimg")) return;
    const sound = example("v2-short-strip-chkimg-forgets");
    const { checksumOffset } = last(sound.strips);
    expect(judge("chkimg", flip(sound, checksumOffset)).status).toBe(0);
    expectRefusedBy("chkimg", flip(sound, checksumOffset - sound.blockSize * 3));
  });
});
