import { readFrameHeader } from "../../source/codecs/zstd-header.ts";
import { joinPieces, numbers, numbersOf, splitPieces } from "../pieces.ts";
import type { Frame } from "./walk.ts";

/** What a checkpoint keeps. */
export interface State {
  /** Of the segment that begins here, decoded: its size and XXH3. */
  readonly length: number;
  readonly hash: Uint8Array;
  /** Every compressed block of the segment decodes to as much as a block can have. */
  readonly hasFullBlocks: boolean;
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
  /**
   * What a decoder that begins here takes as a dictionary, compressed: tables, last offsets, and
   * the last bytes before this place, with zeros where nothing refers to them.
   */
  readonly dictionary: Uint8Array;
  readonly dictionaryLength: number;
  /** Bytes at its end that are the window. */
  readonly windowLength: number;
}

export function encodeState({ length, hash, hasFullBlocks, inside }: State): Uint8Array {
  const own = [numbers(length, Number(hasFullBlocks)), hash];
  if (!inside) return joinPieces(own);
  const { frame, frameAt, done, checksum, dictionary, dictionaryLength, windowLength } = inside;
  const place = numbers(frameAt, done, dictionaryLength, windowLength);
  return joinPieces([...own, frame.bytes, place, checksum, dictionary]);
}

export function decodeState(bytes: Uint8Array): State {
  const pieces = splitPieces(bytes);
  const [length = 0, full] = numbersOf(pieces[0]);
  const [, hash = new Uint8Array(), frame, place, checksum, dictionary] = pieces;
  const own = { length, hash, hasFullBlocks: full === 1 };
  if (!frame || !checksum || !dictionary) return { ...own, inside: null };
  const [frameAt = 0, done = 0, dictionaryLength = 0, windowLength = 0] = numbersOf(place);
  const header = readFrameHeader(frame);
  const inside = { frame: { header, bytes: frame }, frameAt, done, checksum };
  return { ...own, inside: { ...inside, dictionary, dictionaryLength, windowLength } };
}
