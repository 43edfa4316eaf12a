import { viewOf } from "../../bytes/view.ts";
import { XXH64_START, xxh64 } from "../../bytes/xxh64.ts";
import { Malformed, WrongChecksum } from "../malformed.ts";
import { decodeFrames } from "./native.ts";
import type { Part } from "./parts.ts";
import type { Inside } from "./state.ts";

/** As much of a frame as was decoded. */
export interface Progress {
  /** Bytes of the frame. */
  readonly done: number;
  /** The last of them: the window. It may be a part of what was decoded, and is valid as long. */
  readonly window: Uint8Array;
  /** The state of XXH64; empty without a checksum. */
  readonly checksum: Uint8Array;
}

const NO_PROGRESS: Progress = { done: 0, window: new Uint8Array(), checksum: new Uint8Array() };

/** What a decoder needs that begins at a checkpoint. */
export async function dictionaryOf(inside: Inside): Promise<Uint8Array> {
  const { dictionary, dictionaryLength } = inside;
  const bytes = await decodeFrames(dictionary, dictionaryLength, dictionaryLength);
  if (bytes.length !== dictionaryLength) throw new Malformed("a checkpoint is incomplete");
  return bytes;
}

/** What is known of a part's frame after `output`, which is the part decoded. */
export async function advance(
  before: Progress | null,
  { frame, checksum }: Part,
  output: Uint8Array,
): Promise<Progress | null> {
  if (frame === null) return null;
  const { windowSize, contentSize, hasChecksum } = frame.header;
  const { done, window, checksum: state } = before ?? NO_PROGRESS;
  const hash = await xxh64();
  if (hasChecksum) {
    hash.load(state.length > 0 ? state : XXH64_START);
    hash.update(output);
  }
  const size = done + output.length;
  if (checksum === null) {
    const next = hasChecksum ? hash.save() : state;
    return { done: size, window: lastOf(window, output, windowSize), checksum: next };
  }
  if (contentSize !== null && contentSize !== size) throw new Malformed("a frame's size differs");
  // The digest is written with its most significant byte first, the checksum is its low half.
  const isSame = !hasChecksum || sameChecksum(hash.canonical(), checksum);
  if (!isSame) throw new WrongChecksum("a frame's checksum differs");
  return null;
}

function sameChecksum(digest: Uint8Array, checksum: Uint8Array): boolean {
  return viewOf(digest).getUint32(4, false) === viewOf(checksum).getUint32(0, true);
}

/** The last bytes of both, as many as the window has. */
function lastOf(window: Uint8Array, output: Uint8Array, size: number): Uint8Array {
  if (output.length >= size) return output.subarray(output.length - size);
  return Buffer.concat([
    window.subarray(Math.max(0, window.length + output.length - size)),
    output,
  ]);
}
