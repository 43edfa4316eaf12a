import { free } from "../../bytes/free.ts";
import type { ByteSource } from "../../source/source.ts";
import type { SeekableCodec, Segment } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { Malformed } from "../malformed.ts";
import { HASHED_PIECE, isBeginning, isSameHash, joined, segmentHash } from "../segment-hash.ts";
import { build } from "./build.ts";
import { dictionaryOf } from "./decode.ts";
import { decodeFrames, isDecoderError } from "./native.ts";
import { encoded } from "./parts.ts";
import { decodeState, type State } from "./state.ts";
import { storedParts } from "./stored-parts.ts";

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
  const { parts, size } = await storedParts(compressed, segment, state, wanted);
  const isSizeKnown = parts.length === 1 && (wanted >= length || state.hasFullBlocks);
  const decoded = Math.min(length, size);
  const outputs = [];
  for (const part of parts) {
    const frames = encoded(part, isSizeKnown ? decoded : null);
    const needs = part.needsDictionary ? state.inside : null;
    const dictionary = needs ? await dictionaryOf(needs) : undefined;
    outputs.push(await decodeFrames(frames, decoded, length, dictionary));
    for (const input of [part.bytes, dictionary]) if (input) free(input);
  }
  return joined(outputs);
}
