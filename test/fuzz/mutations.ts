import { concatenate } from "../../fixtures-gen/strips.ts";
import { put } from "../../fixtures-gen/struct.ts";
import type { Dice } from "./dice.ts";
import { anatomies, bitmapLength, type Kind, orderOf, seal, sealBitmap } from "./headers.ts";

/** An image on its way through mutations, which may change its bytes in place. */
export interface Subject {
  readonly kind: Kind;
  readonly image: Uint8Array;
  /** Places where something begins or ends: header, map, strips, clusters. */
  readonly landmarks: readonly number[];
  /** Another image, to splice in. */
  readonly other: Uint8Array;
}

export type Mutation = (subject: Subject, dice: Dice) => Uint8Array;

const POWERS = [7, 8, 15, 16, 26, 31, 32, 33, 40, 48, 52, 53, 62, 63].map(
  (power) => 2n ** BigInt(power),
);

/** What lengths and counts are not expected to be. */
function extreme(dice: Dice, current: bigint, fileSize: number): bigint {
  const power = dice.pick(POWERS);
  return dice.pick([
    ...[0n, 1n, 2n, 3n, 8n, 18n, 255n, 0xffffn, 0xffff_ffffn, 2n ** 64n - 1n],
    ...[power, power - 1n, power + 1n],
    ...[current + 1n, current - 1n, current * 2n, current / 2n, current ^ 1n],
    ...[BigInt(fileSize), BigInt(fileSize) - 1n, BigInt(fileSize) * 8n],
    ...[BigInt(dice.word()), (BigInt(dice.word()) << 32n) + BigInt(dice.word())],
  ]);
}

function readField(bytes: Uint8Array, isLittle: boolean): bigint {
  const ordered = isLittle ? bytes.toReversed() : bytes;
  return ordered.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** Terminal control in all its forms: ESC, the 8-bit CSI, what turns text around. */
const TEXTS = ["\x1b[2J\x1b]0;x\x07", "\x9b31m\x9d", "a\nb\rc\td", "\x7f\x80\xad\xff", "%s%n{bar}"];

const field: Mutation = ({ kind, image }, dice) => {
  const { header } = anatomies[kind];
  const order = kind === "v1" ? "little" : orderOf(image);
  const [name, [at, size]] = dice.pick(Object.entries(header));
  if (at + size > image.length) return image;
  if (size > 8 && name !== "magic") {
    image.fill(0, at, at + size);
    image.set(Buffer.from(dice.pick(TEXTS), "latin1").subarray(0, size), at);
  } else if (size <= 8) {
    const current = readField(image.subarray(at, at + size), order === "little");
    put(image, header, { [name]: extreme(dice, current, image.length) }, order);
  }
  // The header's own checksum is changed at times, and made right for all other fields.
  if (kind === "v2" && name !== "crc" && !dice.oneIn(16)) seal(image);
  return image;
};

const flipBits: Mutation = ({ image }, dice) => {
  for (let left = dice.between(1, 8); left > 0; left--) {
    const at = dice.below(image.length);
    image[at] = (image[at] ?? 0) ^ (1 << dice.below(8));
  }
  return image;
};

const placeNear = ({ image, landmarks }: Subject, dice: Dice): number => {
  const near = dice.pick([...landmarks, image.length]) + dice.between(-2, 2);
  const at = dice.oneIn(2) ? near : dice.below(image.length + 1);
  return Math.max(0, Math.min(image.length, at));
};

/** Bytes before a landmark or after it, where a reader is about to trust something. */
const flipNear: Mutation = (subject, dice) => {
  const { image } = subject;
  const at = Math.min(placeNear(subject, dice), image.length - 1);
  if (at >= 0) image[at] = dice.pick([0, 1, 2, 0x7f, 0x80, 0xff, dice.below(256)]);
  return image;
};

const truncate: Mutation = (subject, dice) => subject.image.slice(0, placeNear(subject, dice));

const extend: Mutation = ({ image }, dice) => {
  const length = dice.pick([1, 4, 8, 9, 512, dice.below(20_000)]);
  const tail = dice.oneIn(2)
    ? new Uint8Array(length).fill(dice.pick([0, 1, 255]))
    : dice.bytes(length);
  return concatenate([image, tail]);
};

/** Takes a range away, doubles it, or puts one of another image in its place. */
const splice: Mutation = (subject, dice) => {
  const { image, other } = subject;
  const from = placeNear(subject, dice);
  const to = Math.min(image.length, from + dice.pick([1, 4, 8, 9, 512, dice.below(5000)]));
  const start = dice.below(other.length);
  const foreign = other.subarray(start, start + (to - from));
  const middle = dice.pick([[], [image.subarray(from, to), image.subarray(from, to)], [foreign]]);
  return concatenate([image.subarray(0, from), ...middle, image.subarray(to)]);
};

const flipBitmap: Mutation = ({ kind, image }, dice) => {
  const length = kind === "v2" ? bitmapLength(image) : 0;
  const from = kind === "ntfsclone" ? 0 : anatomies[kind].headerSize;
  const end = kind === "v2" ? from + length : Math.min(image.length, from + 200);
  for (let left = dice.between(1, 6); left > 0 && end > from; left--) {
    const at = dice.between(from, end - 1);
    image[at] = dice.oneIn(2) ? dice.below(256) : (image[at] ?? 0) ^ (1 << dice.below(8));
  }
  if (kind === "v2") sealBitmap(image);
  return image;
};

/** A gap command of any count, over what is there or before it. */
const insertGap: Mutation = (subject, dice) => {
  const { image } = subject;
  const at = placeNear(subject, dice);
  const gap = new Uint8Array(9);
  const count = dice.oneIn(3) ? BigInt(dice.between(-40, 40)) : extreme(dice, 8n, image.length);
  new DataView(gap.buffer).setBigInt64(1, BigInt.asIntN(64, count), true);
  const skipped = dice.oneIn(2) ? gap.length : 0;
  return concatenate([image.subarray(0, at), gap, image.subarray(at + skipped)]);
};

const mutations: Readonly<Record<string, Mutation>> = {
  field,
  fields: (subject, dice) => field({ ...subject, image: field(subject, dice) }, dice),
  flipBits,
  flipNear,
  truncate,
  extend,
  splice,
  flipBitmap,
  insertGap,
};

/** Those that fit the kind, the likeliest to get deep most often. */
const chosen: Readonly<Record<Kind, readonly string[]>> = {
  v1: ["field", "field", "flipBits", "flipNear", "truncate", "extend", "splice", "flipBitmap"],
  v2: ["field", "fields", "flipBits", "flipNear", "truncate", "extend", "splice", "flipBitmap"],
  stream: ["flipBits", "flipNear", "truncate", "extend", "splice"],
  ntfsclone: [
    "field",
    "flipBits",
    "flipNear",
    "truncate",
    "extend",
    "splice",
    "insertGap",
    "insertGap",
  ],
};

export interface Mutated {
  readonly image: Uint8Array;
  readonly names: readonly string[];
}

/** One to four mutations, one after the other. */
export function mutate(subject: Subject, dice: Dice): Mutated {
  const names = Array.from({ length: dice.pick([1, 1, 1, 2, 2, 3, 4]) }, () =>
    dice.pick(chosen[subject.kind]),
  );
  const image = names.reduce(
    (bytes, name) => mutations[name]?.({ ...subject, image: bytes }, dice) ?? bytes,
    subject.image,
  );
  return { image, names };
}
