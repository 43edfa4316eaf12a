import { promisify } from "node:util";
import { constants, type ZstdOptions, zstdCompress } from "node:zlib";
import { free } from "../../bytes/free.ts";
import type { ByteSource } from "../../source/source.ts";
import type { BuildEvent, BuildOptions, Checkpoint } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { Malformed } from "../malformed.ts";
import { isSameHash, joined, segmentHash } from "../segment-hash.ts";
import { advance, dictionaryOf, type Progress } from "./decode.ts";
import { fromDictionary } from "./dictionary.ts";
import { libraryDecoder } from "./library.ts";
import { isDecoderError } from "./native.ts";
import { isLargeWindow, planSegments } from "./plan.ts";
import type { Place, PlannedSegment } from "./segment.ts";
import { SegmentDecoder } from "./segment-decoder.ts";
import { MARK_BITS } from "./sequences.ts";
import { decodeState, encodeState, type Inside } from "./state.ts";

const compress = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdCompress);
const DICTIONARY_OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Bytes of the window that are needed or not. */
const PIECE = 2 ** MARK_BITS;

interface Decoded {
  readonly checkpoint: Checkpoint;
  readonly length: number;
  /** After the segment, `null` between frames. */
  readonly progress: Progress | null;
}

interface Start {
  readonly at: number;
  readonly outOffset: number;
  readonly place: Place | null;
  readonly progress: Progress | null;
  /** No frame is before, or is only begun: the pass sees all of them. */
  readonly isFirstFrame: boolean;
}

/**
 * One segment is planned while the one before it is decoded, where that is done in the runtime's
 * threads. A checkpoint is told when its segment is decoded, since only then it is known what its
 * window needs.
 */
export async function* build(
  compressed: ByteSource,
  { from, spacing }: BuildOptions,
  openLibrary = libraryDecoder,
): AsyncGenerator<BuildEvent> {
  using decoder = new SegmentDecoder(openLibrary());
  const start = await startOf(from);
  let { outOffset, progress } = start;
  let first: Checkpoint | null = null;
  let running: Promise<Decoded> | null = null;
  let isProved = start.isFirstFrame;
  let isMet = from === null;
  const finish = async (segment: Promise<Decoded>): Promise<BuildEvent[]> => {
    const { checkpoint, length, ...after } = await segment;
    outOffset += length;
    progress = after.progress;
    first ??= checkpoint;
    // Frames without content belong to what is before.
    if (length === 0 || checkpoint.outOffset < (from?.outOffset ?? 0)) return [];
    if (checkpoint.outOffset !== from?.outOffset) return [{ type: "checkpoint", checkpoint }];
    expectSame(compressed, from, checkpoint);
    isMet = true;
    return [];
  };
  for await (const plan of planSegments(compressed, start.at, start.place, spacing)) {
    isProved &&= plan.isProved;
    if (running) yield* await finish(running);
    running = decodeSegment(compressed, decoder, plan, { outOffset, progress });
    // It is awaited above or below; a pass that is given up before must not end the program.
    running.catch(() => {});
  }
  if (running) yield* await finish(running);
  // A pass that cuts otherwise than the one before it must not be joined to it.
  if (from && !isMet && outOffset > from.outOffset) throw notIndexed(compressed, from);
  if (from === null && outOffset === 0 && first) yield { type: "checkpoint", checkpoint: first };
  yield { type: "end", outSize: outOffset, isProved };
}

async function startOf(from: Checkpoint | null): Promise<Start> {
  const nowhere = { at: 0, outOffset: 0, place: null, progress: null, isFirstFrame: true };
  if (from === null) return nowhere;
  const { inside } = decodeState(from.state);
  const isFirstFrame = from.inOffset === 0 || inside?.frameAt === 0;
  const here = { ...nowhere, at: from.inOffset, outOffset: from.outOffset, isFirstFrame };
  if (inside === null) return here;
  const { frame, frameAt, done, checksum, windowLength } = inside;
  if (isLargeWindow(frame.header.windowSize)) {
    return { ...here, at: frameAt, outOffset: from.outOffset - done };
  }
  const dictionary = await dictionaryOf(inside);
  const place = { frame, frameAt, ...fromDictionary(dictionary) };
  return { ...here, place, progress: { done, checksum, window: lastOf(dictionary, windowLength) } };
}

/** The data at a checkpoint that a pass goes on from must be what they were. */
function expectSame(compressed: ByteSource, from: Checkpoint, found: Checkpoint): void {
  const [before, now] = [decodeState(from.state), decodeState(found.state)];
  if (isSameHash(before.hash, now.hash) && before.length === now.length) return;
  throw notIndexed(compressed, from);
}

const notIndexed = (compressed: ByteSource, { inOffset }: Checkpoint) =>
  corrupt(compressed, "zstd", inOffset, "it is not what was indexed");

async function decodeSegment(
  compressed: ByteSource,
  decoder: SegmentDecoder,
  plan: PlannedSegment,
  { outOffset, progress: before }: Pick<Start, "outOffset" | "progress">,
): Promise<Decoded> {
  const outputs: Uint8Array[] = [];
  let progress = before;
  try {
    for (const part of plan.parts) {
      const output = await decoder.decode(plan, part, before && lastOf(before.window, plan.reach));
      progress = await advance(part.needsDictionary ? progress : null, part, output);
      outputs.push(output);
    }
  } catch (error) {
    if (!(error instanceof Malformed) && !isDecoderError(error)) throw error;
    throw corrupt(compressed, "zstd", plan.inOffset, error.message, { cause: error });
  }
  const content = joined(outputs);
  const { length } = content;
  const hasFullBlocks = plan.isExpected && length === plan.expected;
  const inside = plan.place && before ? await insideOf(plan, plan.place, before) : null;
  const state = encodeState({ length, hash: segmentHash(content), hasFullBlocks, inside });
  for (const { bytes } of plan.parts) free(bytes);
  const checkpoint = { outOffset, inOffset: plan.inOffset, inBit: 0, state };
  return { checkpoint, length, progress };
}

async function insideOf(
  { dictionary, needed, reach }: PlannedSegment,
  { frame, frameAt }: Place,
  { done, window: whole, checksum }: Progress,
): Promise<Inside> {
  const window = lastOf(whole, reach);
  const sparse = new Uint8Array(dictionary.length + window.length);
  sparse.set(dictionary);
  // Byte by byte: the pieces are many, and of eight bytes.
  for (let end = window.length, index = 0; end > 0; end -= PIECE, index++) {
    if (needed[index] !== 1) continue;
    for (let at = Math.max(0, end - PIECE); at < end; at++) {
      sparse[dictionary.length + at] = window[at] as number;
    }
  }
  const { length: dictionaryLength } = sparse;
  const compressed = await compress(sparse, DICTIONARY_OPTIONS);
  free(sparse);
  const windowLength = window.length;
  const own = { dictionary: compressed, dictionaryLength, windowLength };
  return { frame, frameAt, done, checksum, ...own };
}

const lastOf = (bytes: Uint8Array, count: number): Uint8Array =>
  bytes.subarray(Math.max(0, bytes.length - count));
