import { ImageBackupError } from "../../src/bytes/errors.ts";
import { partitionFile } from "../../src/fuse/partition-file.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import type { Image } from "../../src/image/image.ts";
import type { Dice } from "./dice.ts";
import type { Model } from "./model.ts";

/** Bytes read at once, and blocks looked at, however many the image claims. */
const MOST_BYTES = 65536;
const ALL_BELOW = 64;
const SOME = 12;

/** What the partition holds there by the model; null: some of it cannot be had. */
function expected(model: Model, file: Uint8Array, offset: bigint, length: number) {
  const bytes = new Uint8Array(length);
  const blockSize = BigInt(model.blockSize);
  const end = offset + BigInt(length);
  for (let block = offset / blockSize; block * blockSize < end; block++) {
    if (block >= model.blockCount) break;
    const place = model.placeOf(block);
    if (place === "hole") continue;
    if (place === "unknown") return null;
    const start = block * blockSize;
    const from = offset > start ? offset : start;
    const to = end < start + blockSize ? end : start + blockSize;
    const at = place.at + (from - start);
    const size = to - from;
    if (from - start + size > BigInt(place.length) || at + size > BigInt(file.length)) return null;
    bytes.set(file.subarray(Number(at), Number(at + size)), Number(from - offset));
  }
  return bytes;
}

export type Policy = "all that is there" | "or nothing, with an error";

/** Reads here and there, and requires what the model says, or an error where it says so. */
export async function requireModel(
  image: Image,
  model: Model,
  file: Uint8Array,
  dice: Dice,
  policy: Policy,
): Promise<void> {
  const io = new BlockIO(image);
  for (const { offset, length } of ranges(model, dice)) {
    const right = expected(model, file, offset, length);
    const into = new Uint8Array(length).fill(0xa5);
    const got = await io.read(into, Number(offset)).catch((error: unknown) => {
      if (error instanceof ImageBackupError) return error;
      throw error;
    });
    const place = `${length} bytes at ${offset}`;
    if (got instanceof ImageBackupError) {
      if (right === null || policy === "or nothing, with an error") continue;
      throw new Error(`${place}: ${got.message}, but they are in the image`);
    }
    if (right === null) throw new Error(`${place} were read, but they are not in the image`);
    if (got !== length) throw new Error(`${place}: only ${got} were read`);
    if (Buffer.compare(into, right) !== 0) throw new Error(`${place}: wrong bytes were read`);
  }
}

interface Range {
  readonly offset: bigint;
  readonly length: number;
}

/** Every block of a small partition; of a large one the first, the last, and some between. */
function ranges(model: Model, dice: Dice): Range[] {
  const { deviceSize, blockSize } = model;
  const blocks = deviceSize / BigInt(blockSize) + 1n;
  const chosen =
    blocks <= ALL_BELOW
      ? Array.from({ length: Number(blocks) }, (_, block) => BigInt(block))
      : [0n, 1n, blocks - 2n, blocks - 1n, model.blockCount, ...someOf(blocks, dice)];
  const whole = chosen.map((block) => rangeAt(model, block * BigInt(blockSize), blockSize));
  const across = someOf(deviceSize, dice).map((at) => rangeAt(model, at, dice.below(MOST_BYTES)));
  return [...whole, ...across].filter(({ length }) => length > 0);
}

const someOf = (count: bigint, dice: Dice): bigint[] =>
  count === 0n ? [] : Array.from({ length: SOME }, () => (BigInt(dice.word()) * count) / 2n ** 32n);

function rangeAt({ deviceSize }: Model, offset: bigint, wanted: number): Range {
  const left = deviceSize - offset;
  const most = Math.min(wanted, MOST_BYTES);
  return { offset, length: left < BigInt(most) ? Math.max(0, Number(left)) : most };
}

const STATUS = { mode: 0o444n, uid: 0n, gid: 0n, atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n };

/** Holes must be where the model has no data, and a client that follows them must get to the end. */
export function requireHoles(image: Image, model: Model, dice: Dice): void {
  const served = partitionFile(image, "partition", STATUS);
  for (const at of someOf(model.deviceSize, dice).map(Number)) {
    const data = served.nextData(at);
    const hole = served.nextHole(at);
    if (hole < at || hole > served.size) throw new Error(`the hole after ${at} is at ${hole}`);
    if (data !== null && (data < at || data >= served.size)) {
      throw new Error(`the data after ${at} is at ${data}`);
    }
    const block = BigInt(at) / BigInt(model.blockSize);
    const isData = block < model.blockCount && model.placeOf(block) !== "hole";
    if (isData && data !== at) throw new Error(`byte ${at} is data, and shown as a hole`);
  }
  if (served.storedBytes < 0 || served.storedBytes > served.size) {
    throw new Error(`${served.storedBytes} of ${served.size} bytes are stored`);
  }
}
