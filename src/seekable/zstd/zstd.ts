import type { ByteSource } from "../../source/source.ts";
import type { SeekableCodec, Segment } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { InputWindow } from "../input-window.ts";
import { Malformed } from "../malformed.ts";
import { isSameHash, joined, segmentHash } from "../segment-hash.ts";
import { build } from "./build.ts";
import { windowOf } from "./decode.ts";
import { decodeFrames, isDecoderError } from "./native.ts";
import { type Part, Parts } from "./parts.ts";
import { decodeState, type Inside } from "./state.ts";
import { walk } from "./walk.ts";

/** Zstandard frames (RFC 8878): the beginning of a frame, or a place between two blocks. */
export const zstd: SeekableCodec = {
  name: "zstd",
  version: 1,
  spacing: 8 * 2 ** 20,
  build,
  readSegment,
};

async function readSegment(compressed: ByteSource, segment: Segment): Promise<Uint8Array> {
  const { from, length } = segment;
  try {
    const state = decodeState(from.state);
    const parts = await collect(compressed, segment, state.inside);
    const outputs = [];
    for (const part of parts) outputs.push(await decodePart(part, length, state.inside));
    const content = joined(outputs);
    const isSame = content.length === length && isSameHash(segmentHash(content), state.hash);
    if (!isSame) throw new Malformed("it is not what was indexed");
    return content;
  } catch (error) {
    if (!(error instanceof Malformed) && !isDecoderError(error)) throw error;
    throw corrupt(compressed, "zstd", from.inOffset, error.message, { cause: error });
  }
}

async function collect(
  compressed: ByteSource,
  { from, inEnd }: Segment,
  inside: Inside | null,
): Promise<readonly Part[]> {
  const parts = new Parts(inside?.frame ?? null);
  const input = new InputWindow(compressed, from.inOffset, inEnd);
  for await (const step of walk(input, inside?.frame ?? null)) {
    if (step.type === "frame") parts.beginFrame(step.frame);
    else if (step.type === "frame-end") parts.endFrame(step.bytes);
    else parts.blocks.add(step.bytes);
    // A segment ends at a block's or a frame's end, and the input ends with it.
    const isFrameOpen = step.type === "block" && step.block.isLast;
    if (input.position >= inEnd && !isFrameOpen) break;
  }
  return parts.finish();
}

async function decodePart(part: Part, length: number, inside: Inside | null): Promise<Uint8Array> {
  if (!part.needsDictionary || inside === null) return decodeFrames(part.bytes, length, length);
  const dictionary = Buffer.concat([inside.dictionary, await windowOf(inside)]);
  return decodeFrames(part.bytes, length, length, dictionary);
}
