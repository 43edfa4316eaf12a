import { createXXHash64, type IHasher } from "hash-wasm";
import { viewOf } from "../../source/codecs/exact.ts";
import { Malformed, WrongChecksum } from "../malformed.ts";
import { decodeFrames } from "./native.ts";
import type { Part } from "./parts.ts";
import type { Inside } from "./state.ts";

/** As much of a frame as was decoded. */
export interface Progress {
  /** Bytes of the frame. */
  readonly done: number;
  /** The last of them: the window. */
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

interface Hasher {
  readonly xxh64: IHasher;
  /** Its state at first: what was in it would else be in a frame's first state, too, unused. */
  readonly unused: Uint8Array;
}

/** One for all, whose state is loaded before use: to instantiate its WASM takes 0.6 ms, or 20. */
function hasher(): Promise<Hasher> {
  only ??= createXXHash64().then((xxh64) => ({ xxh64, unused: xxh64.init().save() }));
  return only;
}

let only: Promise<Hasher> | null = null;

/** What is known of a part's frame after `output`, which is the part decoded. */
export async function advance(
  before: Progress | null,
  { frame, checksum }: Part,
  output: Uint8Array,
): Promise<Progress | null> {
  if (frame === null) return null;
  const { windowSize, contentSize, hasChecksum } = frame.header;
  const { done, window, checksum: state } = before ?? NO_PROGRESS;
  const { xxh64, unused } = await hasher();
  if (hasChecksum) {
    xxh64.load(state.length > 0 ? state : unused);
    xxh64.update(output);
  }
  const size = done + output.length;
  if (checksum === null) {
    const next = hasChecksum ? xxh64.save() : state;
    return { done: size, window: lastOf(window, output, windowSize), checksum: next };
  }
  if (contentSize !== null && contentSize !== size) throw new Malformed("a frame's size differs");
  // The digest is written with its most significant byte first, the checksum is its low half.
  const isSame = !hasChecksum || sameChecksum(xxh64.digest("binary"), checksum);
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
