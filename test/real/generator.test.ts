import { afterAll, describe, expect } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { anyImage } from "../../fixtures-gen/arbitraries.ts";
import { flip, last } from "../../fixtures-gen/break.ts";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { example, exampleNames } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { readFormatRules, type SpecRule } from "../../src/conformance/spec-pages.ts";
import { testWith } from "../require.ts";
import { type Argv, run } from "./stage.ts";

/** The real tools judge the generator: what it calls sound they read, to the same partition. */

type Judge = keyof Fixture["judges"];

const COMMANDS: Record<Judge, string> = {
  chkimg: "partclone.chkimg",
  restore: "partclone.restore",
  ntfsclone: "ntfsclone",
};
const judges = Object.keys(COMMANDS) as readonly Judge[];

const SEED = 2026;
const runs = Number(process.env.PROPERTY_RUNS ?? 200);
/** An image takes some 10 ms, and partclone sleeps for 3 seconds before it refuses one. */
const TIMEOUT = 60_000 + 100 * runs;

const scratch = mkdtempSync(join(tmpdir(), "generator-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const imageIn = (directory: string) => join(directory, "image");
const restoredIn = (directory: string) => join(directory, "restored");

/**
 * partclone waits for the thread that shows the progress: with `refresh` 0 that one never sleeps,
 * but writes without end while an image is being refused.
 */
function argvOf(by: Judge, directory: string, refresh: 0 | 1): Argv {
  const image = imageIn(directory);
  const partition = restoredIn(directory);
  const flags = ["-f", `${refresh}`, "-B", "-L", join(directory, "log"), "-s", image];
  const argv: Record<Judge, Argv> = {
    chkimg: [COMMANDS.chkimg, ...flags],
    restore: [COMMANDS.restore, ...flags, "-q", "-W", "-O", partition],
    ntfsclone: [COMMANDS.ntfsclone, "--restore-image", "--overwrite", partition, image],
  };
  return argv[by];
}

/** The restored file and zeros: the tools may end it after the last block they write. */
function restoredPartition(deviceSize: number): Uint8Array {
  const path = restoredIn(scratch);
  const bytes = existsSync(path) ? readFileSync(path) : new Uint8Array();
  expect(bytes.length).toBeLessThanOrEqual(deviceSize);
  const partition = new Uint8Array(deviceSize);
  partition.set(bytes);
  return partition;
}

function expectReadBy(by: Judge, fixture: Fixture): void {
  const { name, image, deviceSize, partition } = fixture;
  writeFileSync(imageIn(scratch), image);
  rmSync(restoredIn(scratch), { force: true });
  const { status, output } = run(argvOf(by, scratch, 0));
  if (status !== 0) throw new Error(`${name}: status ${status}\n${output.slice(-2000)}`);
  if (by === "chkimg") return;
  expect(Buffer.compare(restoredPartition(deviceSize), partition)).toBe(0);
}

/** The versions that spec/ speaks of: others may refuse more, or less. */
function isDescribedVersion(by: Judge): boolean {
  const { output } = run([COMMANDS[by], "--version"]);
  return output.includes(by === "ntfsclone" ? "2022.10.3" : "0.3.23");
}

/** Which of the images the tool refuses, all asked at the same time. */
async function refusedBy(
  by: Judge,
  images: readonly (readonly [name: string, image: Uint8Array])[],
): Promise<readonly string[]> {
  const verdicts = images.map(async ([name, image]) => {
    const directory = join(scratch, `${by} ${name}`);
    mkdirSync(directory);
    writeFileSync(imageIn(directory), image);
    const child = Bun.spawn([...argvOf(by, directory, 1)], { stdout: "ignore", stderr: "ignore" });
    const isRefused = (await child.exited) !== 0;
    rmSync(directory, { recursive: true });
    return isRefused ? [name] : [];
  });
  return (await Promise.all(verdicts)).flat();
}

describe.each(judges.map((by) => [by] as const))("%s", (by) => {
  const readsGenerated = () => {
    const readable = anyImage().filter((fixture) => fixture.judges[by]);
    const property = fc.property(readable, (fixture) => expectReadBy(by, fixture));
    fc.assert(property, { seed: SEED, numRuns: runs });
  };
  testWith([COMMANDS[by]], `reads ${runs} generated images as made`, readsGenerated, TIMEOUT);

  const examples = exampleNames
    .map(example)
    .filter(({ format }) => (format === "ntfsclone") === (by === "ntfsclone"));

  testWith([COMMANDS[by]], "reads the examples as made", () => {
    for (const fixture of examples.filter((each) => each.judges[by])) expectReadBy(by, fixture);
  });

  const refusesOthers = async () => {
    if (!isDescribedVersion(by)) return;
    const others = examples.filter((each) => !each.judges[by]);
    const refused = await refusedBy(
      by,
      others.map(({ name, image }) => [name, image]),
    );
    expect(refused).toEqual(others.map(({ name }) => name));
  };
  testWith([COMMANDS[by]], "refuses the examples it cannot read", refusesOthers, TIMEOUT);
});

const isRefusedInSpec = (rule: SpecRule) => / refuses it/.test(rule.fields.get("judge") ?? "");

describe("what spec/ says of the judges is so", () => {
  for (const by of ["chkimg", "ntfsclone"] as const) {
    const rules = readFormatRules().filter(
      ({ id }) => id.startsWith("NTC-") === (by === "ntfsclone"),
    );
    const holds = async () => {
      if (!isDescribedVersion(by)) return;
      const broken = rules.flatMap(({ id }) => brokenImage(id) ?? []);
      // A tool that cannot read the sound example has nothing to say.
      const judged = broken.filter(({ fixture }) => fixture.judges[by]);
      const refused = await refusedBy(
        by,
        judged.map(({ rule, image }) => [rule, image]),
      );
      expect(refused).toEqual(rules.filter(isRefusedInSpec).map(({ id }) => id));
    };
    testWith([COMMANDS[by]], `${by}: ${rules.length} rules`, holds, TIMEOUT);
  }

  const forgetsStrip = async () => {
    if (!isDescribedVersion("chkimg")) return;
    const sound = example("v2-short-strip-chkimg-forgets");
    const [first] = sound.strips;
    const refused = await refusedBy("chkimg", [
      ["first strip", flip(sound, first?.checksumOffset ?? 0)],
      ["last strip", flip(sound, last(sound.strips).checksumOffset)],
    ]);
    expect(refused).toEqual(["first strip"]);
  };
  testWith(
    [COMMANDS.chkimg],
    "chkimg forgets a last, short strip (PC2-CHECKSUM)",
    forgetsStrip,
    TIMEOUT,
  );
});
