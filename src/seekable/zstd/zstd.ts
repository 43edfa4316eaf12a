import { MAX_BLOCK_SIZE } from "../../source/codecs/zstd-header.ts";
import type { ByteSource } from "../../source/source.ts";
import type { SeekableCodec, Segment } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { InputWindow } from "../input-window.ts";
import { Malformed } from "../malformed.ts";
import { HASHED_PIECE, isBeginning, isSameHash, joined, segmentHash } from "../segment-hash.ts";
import { build } from "./build.ts";
import { windowOf } from "./decode.ts";
import { decodeFrames, isDecoderError } from "./native.ts";
import { type Part, Parts } from "./parts.ts";
import { decodeState, type Inside, type State } from "./state.ts";
import { walk } from "./walk.ts";

/** A larger part of a segment is not worth decoding it by itself. */
const WORTH_ENDING_EARLY = 0.8;

/** Zstandard frames (RFC 8878): the beginning of a frame, or a place between two blocks. */
export const zstd: SeekableCodec = {
  name: "zstd",
  version: 2,
  spacing: 8 * 2 ** 20,
  build,
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
  { inside }: State,
  wanted: number,
): Promise<Uint8Array> {
  const outputs = [];
  // With room for the last block, of which less may be wanted.
  const expected = Math.min(segment.length, wanted + MAX_BLOCK_SIZE);
  for (const part of await collect(compressed, segment, inside, wanted)) {
    outputs.push(await decodePart(part, expected, segment.length, inside));
  }
  return joined(outputs);
}

async function collect(
  compressed: ByteSource,
  { from, inEnd, length }: Segment,
  inside: Inside | null,
  wanted: number,
): Promise<readonly Part[]> {
  const mostBlocks = wanted < length ? wanted / MAX_BLOCK_SIZE + 1 : Infinity;
  let blocks = 0;
  const parts = new Parts(inside?.frame ?? null);
  const input = new InputWindow(compressed, from.inOffset, inEnd);
  for await (const step of walk(input, inside?.frame ?? null)) {
    if (step.type === "frame") parts.beginFrame(step.frame);
    else if (step.type === "frame-end") parts.endFrame(step.bytes);
    else {
      parts.blocks.add(step.bytes);
      blocks++;
    }
    // A segment ends at a block's or a frame's end, and the input ends with it.
    const isFrameOpen = step.type === "block" && step.block.isLast;
    if ((input.position >= inEnd || blocks >= mostBlocks) && !isFrameOpen) break;
  }
  return parts.finish();
}

async function decodePart(
  part: Part,
  expected: number,
  limit: number,
  inside: Inside | null,
): Promise<Uint8Array> {
  if (!part.needsDictionary || inside === null) return decodeFrames(part.bytes, expected, limit);
  const dictionary = Buffer.concat([inside.dictionary, await windowOf(inside)]);
  return decodeFrames(part.bytes, expected, limit, dictionary);
}
