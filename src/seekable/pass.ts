import { free } from "../bytes/free.ts";
import { ContentChecksumDiffers } from "../source/codecs/damaged.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import type { BuildEvent, BuildOptions, Checkpoint, Segment } from "./codec.ts";
import { corrupt, wrongChecksum } from "./damage.ts";
import { InputWindow } from "./input-window.ts";
import { joinPieces, numbers, numbersOf, splitPieces } from "./pieces.ts";
import { HASHED_PIECE, isBeginning, isSameHash, SegmentHasher } from "./segment-hash.ts";
import { WindowStream } from "./window-stream.ts";

/** What a decoder that follows the data from place to place has come to. */
export interface Step {
  /** What was decoded, valid until the next step. */
  readonly bytes: Uint8Array;
  /** A checksum of the format covers them. */
  readonly isChecked: boolean;
  /** Where decoding can begin again after it, if it can. */
  readonly place: Place | null;
}

export interface Place {
  readonly inOffset: number;
  readonly inBit: number;
  /** What the decoder must know there. */
  state(): Promise<Uint8Array>;
}

/** A decoder from a place on; a state of `null` is the beginning of the data. */
export type Follow = (
  input: ByteStream,
  bit: number,
  state: Uint8Array | null,
) => AsyncIterable<Step>;

/** As a codec's `build`: decodes all, and tells where it can begin again. */
export async function* followAll(
  compressed: ByteSource,
  codec: string,
  follow: Follow,
  { from, spacing }: BuildOptions,
): AsyncGenerator<BuildEvent> {
  let { outOffset, inOffset, inBit } = from ?? { outOffset: 0, inOffset: 0, inBit: 0 };
  let state = from ? stateOf(from) : null;
  /** Of all that is before the checkpoint, and before the place where the pass is. */
  let wasProved = from === null || wasProvedBefore(from);
  let isProved = wasProved;
  const content = new SegmentHasher();
  const finished = (): BuildEvent[] => {
    const pieces = [content.hash, numbers(Number(wasProved))];
    if (state) pieces.push(state);
    const checkpoint = { outOffset, inOffset, inBit, state: joinPieces(pieces) };
    if (outOffset !== from?.outOffset) return [{ type: "checkpoint", checkpoint }];
    expectSame(compressed, codec, from, checkpoint);
    return [];
  };
  const input = new WindowStream(new InputWindow(compressed, inOffset));
  try {
    for await (const { bytes, isChecked, place } of follow(input, inBit, state)) {
      content.add(bytes);
      isProved &&= isChecked;
      if (place === null || content.length < spacing) continue;
      yield* finished();
      outOffset += content.length;
      wasProved = isProved;
      ({ inOffset, inBit } = place);
      const before = state;
      state = await place.state();
      if (before) free(before);
      content.clear();
    }
  } catch (error) {
    throw isContentWrong(error) ? wrongChecksum(compressed, codec, input.position) : error;
  }
  // What comes after the last byte belongs to the segment before, unless there is none.
  if (content.length > 0 || outOffset === 0) yield* finished();
  yield { type: "end", outSize: outOffset + content.length, isProved };
}

/** As a codec's `readSegment`. */
export async function followSegment(
  compressed: ByteSource,
  codec: string,
  follow: Follow,
  { from, inEnd, length }: Segment,
  needed = length,
): Promise<Uint8Array> {
  const wanted = Math.min(length, Math.ceil(needed / HASHED_PIECE) * HASHED_PIECE);
  const content = new Uint8Array(wanted);
  const input = new WindowStream(new InputWindow(compressed, from.inOffset, inEnd));
  let size = 0;
  const steps = wanted > 0 ? follow(input, from.inBit, stateOf(from)) : [];
  for await (const { bytes } of steps) {
    content.set(bytes.subarray(0, wanted - size), size);
    size += bytes.length;
    if (size >= wanted) break;
    await othersTurn();
  }
  const isEnd = wanted < length || size === length;
  if (!isEnd || size < wanted || !isBeginning(content, hashOf(from))) {
    throw corrupt(compressed, codec, from.inOffset, "it is not what was indexed");
  }
  return content;
}

function isContentWrong(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof ContentChecksumDiffers;
}

/** Decoding waits for nothing, so that without this nothing else is done meanwhile. */
function othersTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** The data at a checkpoint that a pass goes on from must be what they were. */
function expectSame(compressed: ByteSource, codec: string, from: Checkpoint, found: Checkpoint) {
  if (isSameHash(hashOf(from), hashOf(found))) return;
  throw corrupt(compressed, codec, from.inOffset, "it is not what was indexed");
}

function hashOf({ state }: Checkpoint): Uint8Array {
  return splitPieces(state)[0] ?? new Uint8Array();
}

function wasProvedBefore({ state }: Checkpoint): boolean {
  return numbersOf(splitPieces(state)[1])[0] === 1;
}

function stateOf({ state }: Checkpoint): Uint8Array | null {
  return splitPieces(state)[2] ?? null;
}
