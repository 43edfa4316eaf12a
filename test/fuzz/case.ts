import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { anyParams } from "../../fixtures-gen/arbitraries.ts";
import { build } from "../../fixtures-gen/build.ts";
import { example, exampleNames } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { Dice } from "./dice.ts";
import { anatomies, type Kind, seal } from "./headers.ts";
import { mutate, type Subject } from "./mutations.ts";

/** Generated images, as the usual tools compress them. */
const COMPRESSED = join(import.meta.dirname, "compressed");
const GOLDEN = join(import.meta.dirname, "..", "golden");

export interface FuzzCase {
  readonly seed: number;
  readonly number: number;
  /** What it was made from, and how. */
  readonly story: string;
  readonly image: Uint8Array;
}

interface Base {
  readonly name: string;
  readonly kind: Kind;
  readonly image: Uint8Array;
  readonly landmarks: readonly number[];
}

const kinds: Readonly<Record<Fixture["format"], Kind>> = {
  "partclone-v1": "v1",
  "partclone-v2": "v2",
  ntfsclone: "ntfsclone",
};

function baseOf({ name, format, image, stored, strips }: Fixture): Base {
  const kind = kinds[format];
  const { header, headerSize } = anatomies[kind];
  const fields = Object.values(header).map(([at]) => at);
  const landmarks = [
    ...[...fields, headerSize],
    ...stored.flatMap(({ imageOffset, length }) => [imageOffset, imageOffset + length]),
    ...strips.flatMap(({ checksumOffset }) => [checksumOffset]),
  ];
  return { name, kind, image, landmarks };
}

/** Images of real tools, with a real file system in them. */
function goldenBases(): Base[] {
  return readdirSync(GOLDEN)
    .filter((name) => name.endsWith(".img"))
    .sort()
    .map((name) => {
      const image = new Uint8Array(readFileSync(join(GOLDEN, name)));
      const kind = name.includes("-v1-") ? "v1" : "v2";
      const { headerSize } = anatomies[kind];
      return { name, kind, image, landmarks: [headerSize, headerSize + 32, headerSize + 256] };
    });
}

let fixed: readonly Base[] | null = null;

/** Built once: their bytes are copied before they are changed. */
function fixedBases(): readonly Base[] {
  fixed ??= [...exampleNames.map((name) => baseOf(example(name))), ...goldenBases()];
  return fixed;
}

function chooseBase(dice: Dice): Base {
  if (!dice.oneIn(4)) return dice.pick(fixedBases());
  const [params] = fc.sample(anyParams(), { seed: dice.word() | 0, numRuns: 1 });
  if (params === undefined) throw new Error("fast-check gave no sample");
  return baseOf(build(params));
}

/** Without any knowledge of the formats but their first bytes. */
function blind(dice: Dice): { story: string; image: Uint8Array } {
  const base = dice.pick(fixedBases());
  const known = dice.pick([0, 15, 36, 64, 110, 200, base.image.length]);
  const image = base.image.slice();
  const noise = dice.oneIn(3) ? dice.below(40) : dice.below(image.length);
  for (let left = noise; left > 0; left--) {
    image[dice.between(Math.min(known, image.length - 1), image.length - 1)] = dice.word();
  }
  if (base.kind === "v2" && dice.oneIn(2)) seal(image);
  const cut = dice.oneIn(4) ? dice.below(image.length) : image.length;
  return { story: `blind, ${known} bytes of ${base.name} kept`, image: image.slice(0, cut) };
}

let streams: readonly { name: string; image: Uint8Array }[] | null = null;

/** A compressed stream, which no knowledge of ours is needed to damage. */
function compressed(dice: Dice): { story: string; image: Uint8Array } {
  streams ??= readdirSync(COMPRESSED)
    .sort()
    .map((name) => ({ name, image: new Uint8Array(readFileSync(join(COMPRESSED, name))) }));
  const base = dice.pick(streams);
  const subject: Subject = {
    kind: "stream",
    image: base.image.slice(),
    landmarks: [0, 4, 8, 16, 32, base.image.length - 8],
    other: dice.pick(streams).image,
  };
  const { image, names } = mutate(subject, dice);
  return { story: `${base.name}: ${names.join(", ")}`, image };
}

/** The case of this number: the same whenever and wherever it is asked for. */
export function caseOf(seed: number, number: number): FuzzCase {
  const dice = new Dice(seed, number);
  if (dice.oneIn(4)) return { seed, number, ...blind(dice) };
  if (dice.oneIn(10)) return { seed, number, ...compressed(dice) };
  const base = chooseBase(dice);
  const other = dice.pick(fixedBases()).image;
  const subject: Subject = { ...base, image: base.image.slice(), other };
  const { image, names } = mutate(subject, dice);
  return { seed, number, image, story: `${base.name}: ${names.join(", ")}` };
}
