import { COMPRESSED_BLOCK, MAX_BLOCK_SIZE } from "../../source/codecs/zstd-header.ts";
import type { ByteSource } from "../../source/source.ts";
import type { SeekableCodec, Segment } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { InputWindow } from "../input-window.ts";
import { Malformed } from "../malformed.ts";
import { HASHED_PIECE, isBeginning, isSameHash, joined, segmentHash } from "../segment-hash.ts";
import { build } from "./build.ts";
import { dictionaryOf } from "./decode.ts";
import { decodeFrames, isDecoderError } from "./native.ts";
import { encoded, type Part, Parts } from "./parts.ts";
import { decodeState, type State } from "./state.ts";
import { walk } from "./walk.ts";

/** A larger part of a segment is not worth decoding it by itself. */
const WORTH_ENDING_EARLY = 0.8;

/** Zstandard frames (RFC 8878): the beginning of a frame, or a place between two blocks. */
export const zstd: SeekableCodec = {
  name: "zstd",
  version: 3,
  spacing: 8 * 2 ** 20,
  build: (compressed, options) => build(compressed, options),
  readSegment,
};

async function readSegment(
  compressed: ByteSource,
  segment: Segment,
  needed = segment.length,
): Promise<Uint8Array> {
  const { from, length } = segment;
  try {
    const state = decodeState(from.state);
    const wanted = Math.ceil(needed / HASHED_PIECE) * HASHED_PIECE;
    if (wanted <= length * WORTH_ENDING_EARLY) {
      // Blocks may have fewer bytes than the usual ones: then all are decoded.
      const begun = await decode(compressed, segment, state, wanted);
      const beginning = begun.subarray(0, wanted);
      if (begun.length >= wanted && isBeginning(beginning, state.hash)) return beginning;
    }
    const content = await decode(compressed, segment, state, length);
    const isSame = content.length === length && isSameHash(segmentHash(content), state.hash);
    if (!isSame) throw new Malformed("it is not what was indexed");
    return content;
  } catch (error) {
    if (!(error instanceof Malformed) && !isDecoderError(error)) throw error;
    throw corrupt(compressed, "zstd", from.inOffset, error.message, { cause: error });
  }
}

/** The segment's first `wanted` bytes, or fewer, or more: as its blocks have them. */
async function decode(
  compressed: ByteSource,
  segment: Segment,
  state: State,
  wanted: number,
): Promise<Uint8Array> {
  const { length } = segment;
  const { parts, size } = await collect(compressed, segment, state, wanted);
  const isSizeKnown = parts.length === 1 && (wanted >= length || state.hasFullBlocks);
  const decoded = Math.min(length, size);
  const outputs = [];
  for (const part of parts) {
    const frames = encoded(part, isSizeKnown ? decoded : null);
    const needs = part.needsDictionary ? state.inside : null;
    const dictionary = needs ? await dictionaryOf(needs) : undefined;
    outputs.push(await decodeFrames(frames, decoded, length, dictionary));
  }
  return joined(outputs);
}

interface Collected {
  readonly parts: readonly Part[];
  /** Bytes that the blocks decode to, if each has as many as it can. */
  readonly size: number;
}

/** Blocks until they decode to `wanted` bytes, if each has as many as it can, and one more else. */
async function collect(
  compressed: ByteSource,
  { from, inEnd, length }: Segment,
  { inside, hasFullBlocks }: State,
  wanted: number,
): Promise<Collected> {
  const isWhole = wanted >= length;
  const enough = isWhole ? Infinity : hasFullBlocks ? wanted : wanted + MAX_BLOCK_SIZE;
  let size = 0;
  const room = isWhole ? inEnd - from.inOffset : ((inEnd - from.inOffset) * wanted) / length;
  const parts = new Parts(inside?.frame ?? null, Math.ceil(room));
  const input = new InputWindow(compressed, from.inOffset, inEnd);
  for await (const step of walk(input, inside?.frame ?? null)) {
    if (step.type === "frame") parts.beginFrame(step.frame);
    else if (step.type === "frame-end") parts.endFrame(step.bytes);
    else {
      parts.blocks.add(step.bytes);
      size += step.block.type === COMPRESSED_BLOCK ? MAX_BLOCK_SIZE : step.block.size;
    }
    // A segment ends at a block's or a frame's end, and the input ends with it.
    const isFrameOpen = step.type === "block" && step.block.isLast;
    if ((input.position >= inEnd || size >= enough) && !isFrameOpen) break;
  }
  return { parts: parts.finish(), size };
}
