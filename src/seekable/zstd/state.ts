import { readFrameHeader } from "../../source/codecs/zstd-header.ts";
import { joinPieces, numbers, numbersOf, splitPieces } from "../pieces.ts";
import type { Frame } from "./walk.ts";

/** What a checkpoint keeps. */
export interface State {
  /** Of the segment that begins here, decoded: its size and XXH3. */
  readonly length: number;
  readonly hash: Uint8Array;
  /** `null` between frames. */
  readonly inside: Inside | null;
}

/** A place between two blocks of a frame. */
export interface Inside {
  readonly frame: Frame;
  /** Byte offset of the frame in the compressed data. */
  readonly frameAt: number;
  /** Bytes of the frame that are before this place. */
  readonly done: number;
  /** XXH64 of them, as far as it is computed; empty where the frame has no checksum. */
  readonly checksum: Uint8Array;
  /** Tables and last offsets. */
  readonly dictionary: Uint8Array;
  /** The last bytes before this place, zeros where nothing refers to them, compressed. */
  readonly window: Uint8Array;
  readonly windowLength: number;
}

export function encodeState({ length, hash, inside }: State): Uint8Array {
  const own = [numbers(length), hash];
  if (!inside) return joinPieces(own);
  const { frame, frameAt, done, checksum, dictionary, window, windowLength } = inside;
  const place = numbers(frameAt, done, windowLength);
  return joinPieces([...own, frame.bytes, place, checksum, dictionary, window]);
}

export function decodeState(bytes: Uint8Array): State {
  const pieces = splitPieces(bytes);
  const [length = 0] = numbersOf(pieces[0]);
  const [, hash = new Uint8Array(), frame, place, checksum, dictionary, window] = pieces;
  if (!frame || !checksum || !dictionary || !window) return { length, hash, inside: null };
  const [frameAt = 0, done = 0, windowLength = 0] = numbersOf(place);
  return {
    length,
    hash,
    inside: {
      frame: { header: readFrameHeader(frame), bytes: frame },
      frameAt,
      done,
      checksum,
      dictionary,
      window,
      windowLength,
    },
  };
}
