import fc from "fast-check";
import { anyParams } from "../../fixtures-gen/arbitraries.ts";
import { breaks, brokenImage } from "../../fixtures-gen/breaks.ts";
import { build } from "../../fixtures-gen/build.ts";
import { encodeCrc32, partcloneCrc32 } from "../../fixtures-gen/checksums.ts";
import { example, exampleNames } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import { NTFSCLONE_HEADER } from "../../fixtures-gen/ntfsclone.ts";
import { V1_HEADER } from "../../fixtures-gen/partclone-v1.ts";
import { sealHeader, V2_HEADER, V2_HEADER_SIZE } from "../../fixtures-gen/partclone-v2.ts";
import { mix } from "../../fixtures-gen/random.ts";
import { put, type Struct } from "../../fixtures-gen/struct.ts";

/** One image that all readers are asked about. */
export interface Case {
  readonly name: string;
  readonly fixture: Fixture;
  readonly image: Uint8Array;
}

/** A number from 0 to `below` - 1 that depends on the case and its use. */
type Draw = (below: number) => number;
type Mutation = (fixture: Fixture, draw: Draw) => Uint8Array;

const headers: Readonly<Record<Fixture["format"], Struct>> = {
  "partclone-v1": V1_HEADER,
  "partclone-v2": V2_HEADER,
  ntfsclone: NTFSCLONE_HEADER,
};

const isBigEndian = ({ params }: Fixture) => "byteOrder" in params && params.byteOrder === "big";
const orderOf = (fixture: Fixture) => (isBigEndian(fixture) ? "big" : "little");

function seal(image: Uint8Array, fixture: Fixture): Uint8Array {
  if (fixture.format === "partclone-v2" && image.length >= V2_HEADER_SIZE) {
    sealHeader(image, orderOf(fixture));
  }
  return image;
}

/** Some bits anywhere. */
const flips: Mutation = ({ image }, draw) => {
  const flipped = image.slice();
  for (let left = 1 + draw(3); left > 0; left--) {
    const at = draw(flipped.length);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << draw(8));
  }
  return flipped;
};

/** A field of the header with a value from its edges, under a right checksum. */
const field: Mutation = (fixture, draw) => {
  const image = fixture.image.slice();
  const struct = headers[fixture.format];
  const names = Object.keys(struct).filter((name) => !["magic", "crc", "version"].includes(name));
  const name = names[draw(names.length)] ?? "";
  const [at = 0, size = 0] = struct[name] ?? [];
  const view = image.subarray(at, at + size);
  const edges = [0n, 1n, 2n, 8n, 255n, 4096n, 2n ** 31n, 2n ** BigInt(8 * size) - 1n];
  const now = view.reduceRight((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const values = [...edges, now + 1n, now - 1n, now * 2n];
  put(image, { [name]: [at, size] }, { [name]: values[draw(values.length)] ?? 0n }, "little");
  return seal(image, fixture);
};

/** A byte of the map, under a right checksum; of an ntfsclone image, of its first commands. */
const map: Mutation = (fixture, draw) => {
  const image = fixture.image.slice();
  const { format, params, blockCount } = fixture;
  const isBits =
    format === "partclone-v2" && "bitmapMode" in params && params.bitmapMode === "bits";
  const start = { "partclone-v1": 4160, "partclone-v2": V2_HEADER_SIZE, ntfsclone: 46 }[format];
  const length = isBits ? Math.ceil(blockCount / 8) : Math.min(blockCount, 40);
  const at = start + draw(length);
  if (at >= image.length) return image;
  image[at] = (image[at] ?? 0) ^ (1 << draw(8));
  if (isBits) {
    const bits = image.subarray(start, start + length);
    image.set(encodeCrc32(partcloneCrc32(bits), orderOf(fixture)), start + length);
  }
  return image;
};

/** The end is missing: a few bytes, or any number of them. */
const cut: Mutation = ({ image }, draw) =>
  image.slice(0, image.length - 1 - draw(draw(2) === 0 ? 24 : image.length - 1));

const tail: Mutation = ({ image }, draw) => {
  const longer = new Uint8Array(image.length + 1 + draw(64));
  longer.set(image);
  longer.fill(draw(256), image.length);
  return longer;
};

/** A bit of the data or of its checksums. */
const data: Mutation = ({ image, stored }, draw) => {
  const flipped = image.slice();
  const start = stored[0]?.imageOffset ?? image.length - 1;
  const at = start + draw(image.length - start);
  flipped[at] = (flipped[at] ?? 0) ^ (1 << draw(8));
  return flipped;
};

const sound: Mutation = ({ image }) => image;

const mutations: readonly (readonly [name: string, weight: number, apply: Mutation])[] = [
  ["sound", 5, sound],
  ["flips", 2, flips],
  ["field", 5, field],
  ["map", 2, map],
  ["cut", 3, cut],
  ["tail", 1, tail],
  ["data", 4, data],
];
const drawn = mutations.flatMap((mutation) => Array.from({ length: mutation[1] }, () => mutation));

/** The last strip, which is most often short, with a wrong checksum and with none. */
function damagedLastStrips(fixture: Fixture): Case[] {
  const strip = fixture.strips.at(-1);
  if (!strip) return [];
  const image = fixture.image.slice();
  image[strip.checksumOffset] = (image[strip.checksumOffset] ?? 0) ^ 1;
  const withoutSum = fixture.image.slice(0, strip.checksumOffset);
  return [
    { name: `bad last strip ${fixture.name}`, fixture, image },
    { name: `cut last strip ${fixture.name}`, fixture, image: withoutSum },
  ];
}

/** Every example and every break, damaged last strips, then mutants of generated images: same seed, same cases. */
export function* makeCases(seed: number, count: number): Generator<Case> {
  const fixed: Case[] = exampleNames.map((name) => {
    const fixture = example(name);
    return { name: `example ${name}`, fixture, image: fixture.image };
  });
  for (const { fixture } of [...fixed]) fixed.push(...damagedLastStrips(fixture));
  for (const rule of Object.keys(breaks)) {
    const broken = brokenImage(rule);
    if (broken) fixed.push({ name: `break ${rule}`, fixture: broken.fixture, image: broken.image });
  }
  yield* fixed.slice(0, count);
  const rest = Math.max(0, count - fixed.length);
  const params = fc.sample(anyParams(), { seed, numRuns: rest });
  for (const [index, each] of params.entries()) {
    let uses = 0;
    const draw: Draw = (below) => mix(mix(seed, index), uses++) % Math.max(1, below);
    const [name, , apply] = drawn[draw(drawn.length)] ?? ["sound", 1, sound];
    const fixture = build(each);
    yield { name: `${name} ${index}`, fixture, image: apply(fixture, draw) };
  }
}
