import { afterAll, describe, expect, test } from "bun:test";
import { append, cutTo, flip } from "../../fixtures-gen/break.ts";
import { breaks, brokenImage } from "../../fixtures-gen/breaks.ts";
import { build } from "../../fixtures-gen/build.ts";
import { type ExampleName, example, exampleParams } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { linesOf, type ProgramName, type Ran, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());

const programOf = (rule: string): ProgramName =>
  rule.startsWith("NTC") || rule.startsWith("ntfs") ? "vntfsclone" : "vpartclone";

function check(program: ProgramName, image: Uint8Array, ...args: readonly string[]): Ran {
  files.file("x.img", image);
  return runProgram(program, ["-c", ...args, "x.img"], { cwd: files.path });
}

/** Rules that sound images of real tools break too: an image is not unsound for them. */
const harmless: ReadonlySet<string> = new Set([
  ...["PC1-USED-COUNT", "PC1-BYTE-MAP-VALUES", "PC1-CHECKSUM-WIDTH"],
  ...["PC2-USED-SUPERBLOCK", "PC2-USED-BITMAP", "PC2-STRAY-BITS", "PC2-BYTE-MAP-VALUES"],
  ...["NTC-IN-USE", "NTC-BOOT-SECTOR", "NTC-BACKUP-BOOT", "NTC-ORDER"],
]);
/** Of such a file nothing can be said but this: there is no summary. */
const foreign = /^...-(MAGIC|VERSION|HEADER-COMPLETE)$/;
const ofFileSystems = /^FS/;

describe("an image that breaks a rule", () => {
  const rules = Object.keys(breaks).filter((rule) => !ofFileSystems.test(rule));
  test.each(rules)("%s", (rule) => {
    const broken = brokenImage(rule);
    const program = programOf(rule);
    const { status, out, err } = check(program, broken?.image ?? new Uint8Array(), "-q");
    expect(status).toBe(harmless.has(rule) ? 0 : 1);
    const lines = linesOf(err);
    for (const line of lines) expect(line).toStartWith(`${program}: `);
    const isSaid = lines.some((line) => line.endsWith(`(${rule})`));
    // A metadata image is none the worse for its order, and a file without the magic is no image.
    expect(isSaid).toBe(rule !== "NTC-ORDER" && !rule.endsWith("-MAGIC"));
    if (foreign.test(rule)) expect({ out, lines: lines.length }).toEqual({ out: "", lines: 1 });
    else expect(out).toStartWith(`x.img: ${harmless.has(rule) ? "sound" : "NOT SOUND"}`);
  });
});

interface Case {
  readonly title: string;
  readonly base: ExampleName;
  readonly damage: (fixture: Fixture) => Uint8Array;
  /** What each line of standard error holds, in order. */
  readonly said: readonly string[];
  readonly summary: string;
}

const strip = (fixture: Fixture, number: number) => {
  const found = fixture.strips.at(number);
  if (!found) throw new RangeError(`no strip ${number}`);
  return found;
};

/** Damages a byte of each of these strips. */
const inStrips =
  (...numbers: readonly number[]) =>
  (fixture: Fixture): Uint8Array => {
    const image = fixture.image.slice();
    for (const number of numbers) {
      const at = strip(fixture, number).imageOffset;
      image[at] = (image[at] ?? 0) ^ 0x40;
    }
    return image;
  };

/** In a strip of 8 blocks with a checksum of so many bytes: all that is said of it. */
const badStrip = (
  number: number,
  image: string,
  partition: string,
  what = "is bad: its checksum differs",
) =>
  `strip ${number} ${what}; bytes ${image} of the image, 8 blocks between bytes ${partition} of the partition (PC2-CHECKSUM)`;
const unjudged = "cannot be judged: its checksum runs on from a bad strip";

const cases: readonly Case[] = [
  {
    title: "each bad strip is told, with its place, and the check goes on",
    base: "v2-crc32",
    damage: inStrips(0, 2),
    said: [
      badStrip(0, "124 to 8319", "0 and 13311"),
      badStrip(2, "16516 to 24711", "21504 and 71679"),
    ],
    summary:
      "NOT SOUND: 2 of 4 strips are bad (31.1 KiB read, proved by a CRC32 for each 8 blocks)",
  },
  {
    title: "a running CRC32 is taken up again behind a bad strip",
    base: "v2-crc32-no-reseed",
    damage: inStrips(1),
    said: [badStrip(1, "8320 to 16515", "13312 and 21503")],
    summary: "NOT SOUND: 1 of 4 strips is bad (31.1 KiB read, proved by a CRC32 for each 8 blocks)",
  },
  {
    title: "a running XXH128 proves nothing behind a bad strip",
    base: "v2-xxh128-no-reseed",
    damage: inStrips(2),
    said: [
      badStrip(2, "16540 to 24747", "21504 and 71679"),
      `strip 3 ${unjudged}; bytes 24748 to 31931 of the image, 7 blocks between bytes 71680 and 78847 of the partition (PC2-CHECKSUM)`,
    ],
    summary:
      "NOT SOUND: 1 of 4 strips is bad, 1 cannot be judged (31.2 KiB read, proved by an XXH128 for each 8 blocks)",
  },
  {
    title: "a damaged checksum is a bad strip as well",
    base: "v2-xxh64",
    damage: (fixture) => flip(fixture, strip(fixture, 1).checksumOffset),
    said: [badStrip(1, "8324 to 16523", "13312 and 21503")],
    summary:
      "NOT SOUND: 1 of 4 strips is bad (31.2 KiB read, proved by an XXH64 for each 8 blocks)",
  },
  {
    title: "version 0001: a block's first byte is proved, and the next block is taken up again",
    base: "v1-plain",
    damage: inStrips(1),
    said: [
      "strip 1 is bad: its checksum differs; bytes 5273 to 6300 of the image, 1 block between bytes 1024 and 2047 of the partition (PC1-CHECKSUM)",
    ],
    summary:
      "NOT SOUND: 1 of 31 strips is bad (35.3 KiB read, proved by a CRC32 of each block's first byte, all that format 0001 has)",
  },
  {
    title: "version 0001 with checksums of 8 bytes",
    base: "v1-checksums-8-bytes",
    damage: inStrips(30),
    said: [
      "its checksums take 8 bytes instead of 4: written by partclone before 0.1.0 on a 64-bit machine (PC1-CHECKSUM-WIDTH)",
      "strip 30 is bad: its checksum differs; bytes 35205 to 36236 of the image, 1 block between bytes 77824 and 78847 of the partition (PC1-CHECKSUM)",
    ],
    summary:
      "NOT SOUND: 1 of 31 strips is bad (35.4 KiB read, proved by a CRC32 of each block's first byte, all that format 0001 has)",
  },
  {
    title: "big-endian",
    base: "v2-big-endian-xxh128",
    damage: inStrips(0),
    said: [
      "strip 0 is bad: its checksum differs; bytes 130 to 8337 of the image, 8 blocks between bytes 0 and 8191 of the partition (PC2-CHECKSUM)",
    ],
    summary:
      "NOT SOUND: 1 of 6 strips is bad (48.2 KiB read, proved by an XXH128 for each 8 blocks)",
  },
  {
    title: "truncated: the strips that are there are judged",
    base: "v2-crc32",
    damage: (fixture) => cutTo(fixture, strip(fixture, 2).checksumOffset),
    said: [
      "the image is truncated: 7176 of 31884 bytes are missing; reads of what is missing fail (PC2-DATA-COMPLETE)",
    ],
    summary:
      "NOT SOUND: 0 of 2 strips are bad (24.1 KiB read, proved by a CRC32 for each 8 blocks)",
  },
  {
    title: "one byte too few, without checksums",
    base: "v2-none",
    damage: (fixture) => cutTo(fixture, fixture.image.length - 1),
    said: [
      "the image is truncated: 1 of 31868 bytes are missing; reads of what is missing fail (PC2-DATA-COMPLETE)",
    ],
    summary: "NOT SOUND (31.1 KiB read, proved by nothing, as the image has no checksums)",
  },
  {
    title: "bytes after the end",
    base: "v2-xxh128",
    damage: (fixture) => append(fixture, 0),
    said: ["1 byte after the image's end: ignored (PC2-DATA-END)"],
    summary:
      "NOT SOUND: 0 of 4 strips are bad (31.2 KiB read, proved by an XXH128 for each 8 blocks)",
  },
  {
    title: "a metadata image of ntfsclone, truncated",
    base: "ntfs-metadata",
    damage: (fixture) => cutTo(fixture, fixture.image.length - 700),
    said: [
      "the image is truncated: it ends at position 25 of 64; reads of what may be missing fail (NTC-DATA-COMPLETE)",
    ],
    summary: "NOT SOUND (10.9 KiB read, proved by the commands, as the format has no checksums)",
  },
  {
    title: "ntfsclone, cut between two commands",
    base: "ntfs-10.1",
    damage: (fixture) => cutTo(fixture, (fixture.stored[2]?.imageOffset ?? 0) - 1),
    said: [
      "the image is truncated: it ends at position 2 of 64; reads of what may be missing fail (NTC-DATA-COMPLETE)",
    ],
    summary: "NOT SOUND (2.1 KiB read, proved by the commands, as the format has no checksums)",
  },
];

describe("-c on a bad image", () => {
  test.each(cases)("$base: $title", ({ base, damage, said, summary }) => {
    const program = programOf(base);
    const { status, out, err } = check(program, damage(example(base)), "-q");
    expect(out).toBe(`x.img: ${summary}\n`);
    const lines = linesOf(err).map((line) => line.replace("warning: ", ""));
    expect(lines).toEqual(said.map((each) => `${program}: x.img: ${each}`));
    expect(status).toBe(1);
  });
});

test("of very many bad strips each is told", () => {
  const runs = [3000];
  const fixture = build({ ...exampleParams["v2-each-block"], blockSize: 512, runs });
  const image = fixture.image.slice();
  for (const { checksumOffset } of fixture.strips)
    image[checksumOffset] = ~(image[checksumOffset] ?? 0);
  const { out, err } = check("vpartclone", image, "-q");
  expect(linesOf(err).length).toBe(3000);
  expect(out).toStartWith("x.img: NOT SOUND: 3,000 of 3,000 strips are bad (");
});

/** 12.5 MiB in strips of 64 KiB, so that progress has something to tell. */
const long = build({ ...exampleParams["v2-large-blocks"], blocksPerChecksum: 1, runs: [200] });

describe("progress", () => {
  test("without a terminal: a line each 10 %", () => {
    const { status, err } = check("vpartclone", long.image);
    const tens = Array.from({ length: 10 }, (_, ten) => `x.img: ${10 * (ten + 1)} % of 12.5 MiB`);
    expect({ status, lines: linesOf(err) }).toEqual({ status: 0, lines: tens });
  });

  test.each(["-q", "--quiet"])("%s: none", (quiet) => {
    const { status, out, err } = check("vpartclone", long.image, quiet);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(out).toBe(
      "x.img: sound: 200 strips are right (12.5 MiB read, proved by a CRC32 for each block)\n",
    );
  });

  test("--json with -c: only the object goes to standard output", () => {
    const { status, out } = check("vpartclone", inStrips(0)(example("v2-crc32")), "-q", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ "checksum mode": "CRC32" });
  });
});
