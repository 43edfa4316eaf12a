import { ImageBackupError } from "../../src/bytes/errors.ts";
import { printableJson } from "../../src/bytes/printable.ts";
import { conform } from "../../src/conformance/conform.ts";
import { checkImage, dumpImage, layOutImage, reviveImage } from "../../src/formats.ts";
import { dumpObject, dumpText } from "../../src/image/dump.ts";
import type { Image } from "../../src/image/image.ts";
import { openImage } from "../../src/open-image.ts";
import { PartcloneImage } from "../../src/partclone/image.ts";
import { type Compression, detectCompression, HEAD_SIZE } from "../../src/source/compression.ts";
import type { ByteSource, ByteStream } from "../../src/source/source.ts";
import { ChunkStream, SourceStream } from "../../src/source/stream.ts";
import { memorySource, pieces } from "../memory-source.ts";
import type { Dice } from "./dice.ts";
import { modelOf } from "./model.ts";
import { requireHoles, requireModel } from "./reads.ts";

/** Blocks that a reader takes before it has had enough: a header can promise any number. */
const MOST_BLOCKS = 5000;

/** What a terminal must never get; line ends are the reader's own. */
const RAW = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

/** The result, or the error that may be thrown; any other is a finding. */
async function outcome<T>(work: () => Promise<T>): Promise<T | ImageBackupError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ImageBackupError) return error;
    throw error;
  }
}

const chunked = (bytes: Uint8Array, dice: Dice): ByteStream =>
  new ChunkStream("pipe", pieces(bytes, [dice.between(1, 70_000), dice.between(1, 5000)]));

/**
 * Does with an image all that can be done with one. Resolves to "opened" or to the code of the error
 * that said why not; rejects where anything else came of it.
 */
export async function exercise(bytes: Uint8Array, dice: Dice): Promise<string> {
  const source = memorySource(bytes);
  const compression = detectCompression(bytes.subarray(0, HEAD_SIZE));
  if (compression) return decompress(compression, source);
  const opened = await outcome(() => layOutImage(source));
  await dumpsAreClean(source);
  await outcome(() => checkImage(new SourceStream(source)));
  // Not all of it each time: the more cases, the better.
  if (dice.oneIn(2)) {
    await outcome(() => conform(new SourceStream(source), source, { maxFindings: 3 }));
  }
  if (dice.oneIn(4)) await asPipe(bytes, dice);
  await library(source);
  if (opened instanceof ImageBackupError) return opened.code;
  await readsAreRight(opened.image, bytes, dice);
  if (dice.oneIn(4)) {
    const shared = structuredClone(opened.shared);
    await readsAreRight(await reviveImage(source, shared), bytes, dice);
  }
  if (dice.oneIn(3)) await provedReadsAreRight(opened.image, bytes, dice);
  return "opened";
}

/** With --verify a read may fail where the checksum does, but what it gives must be right. */
async function provedReadsAreRight(plain: Image, bytes: Uint8Array, dice: Dice): Promise<void> {
  const source = memorySource(bytes);
  const proved = await outcome(() => layOutImage(source, { verify: true }));
  if (proved instanceof ImageBackupError) return;
  const model = modelOf(bytes, plain.format, widthOf(plain));
  await requireModel(proved.image, model, bytes, dice, "or nothing, with an error");
}

/** Decompresses on the way, as the commands do; there is no bitmap to read blocks by. */
async function decompress({ load }: Compression, source: ByteSource): Promise<string> {
  if (!load) return "beyond us";
  const decode = await load();
  const stream = () => new ChunkStream("stream", decode(new SourceStream(source)));
  const checked = await outcome(() => checkImage(stream()));
  await outcome(async () => {
    await using image = await openImage(stream());
    await readBlocks(image);
  });
  return checked instanceof ImageBackupError ? `decompressed: ${checked.code}` : "decompressed";
}

const widthOf = (image: Image): number =>
  image instanceof PartcloneImage ? image.parts.geometry.checksumSize : 0;

async function readsAreRight(image: Image, bytes: Uint8Array, dice: Dice): Promise<void> {
  const model = modelOf(bytes, image.format, widthOf(image));
  if (BigInt(image.deviceSize) !== model.deviceSize || image.blockSize !== model.blockSize) {
    throw new Error(`${image.deviceSize} bytes in blocks of ${image.blockSize}: not what is said`);
  }
  await requireModel(image, model, bytes, dice, "all that is there");
  requireHoles(image, model, dice);
}

async function dumpsAreClean(source: ByteSource): Promise<void> {
  const dump = await outcome(() => dumpImage(new SourceStream(source)));
  if (dump instanceof ImageBackupError) return;
  const text = dumpText(dump.title, dump.details);
  const json = printableJson(JSON.stringify(dumpObject(dump.details), null, 2));
  for (const output of [text, json]) {
    if (RAW.test(output)) throw new Error(`control characters get out: ${JSON.stringify(output)}`);
  }
  JSON.parse(json);
}

async function asPipe(bytes: Uint8Array, dice: Dice): Promise<void> {
  await outcome(() => dumpImage(chunked(bytes, dice)));
  await outcome(() => checkImage(chunked(bytes, dice)));
  await outcome(() => conform(chunked(bytes, dice), null, { quick: dice.oneIn(2) }));
  await outcome(async () => {
    await using image = await openImage(chunked(bytes, dice));
    await readBlocks(image);
  });
}

class Enough extends ImageBackupError {}

async function readBlocks(image: Awaited<ReturnType<typeof openImage>>): Promise<void> {
  let before = -1;
  let left = MOST_BLOCKS;
  await image.blockReader({
    onBlock(deviceOffset, block) {
      if (deviceOffset <= before) throw new Error(`block at ${deviceOffset} after ${before}`);
      if (deviceOffset + block.length > image.deviceSize) throw new Error("past the device's end");
      before = deviceOffset;
      left -= 1;
      if (left === 0) throw new Enough("OUT_OF_RANGE", "enough");
    },
  });
}

async function library(source: ByteSource): Promise<void> {
  await outcome(async () => {
    await using image = await openImage(source);
    image.toString();
    await outcome(async () => image.totalBlocks < 2 ** 24 && image.bitmap.length);
    for (const block of [0, 1, image.totalBlocks - 1, image.totalBlocks]) {
      await outcome(async () => image.blockOffset(block));
    }
    await readBlocks(image);
  });
}
