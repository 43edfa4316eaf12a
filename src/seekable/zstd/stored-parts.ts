import {
  BLOCK_HEADER_SIZE,
  COMPRESSED_BLOCK,
  MAX_BLOCK_SIZE,
  readBlockHeader,
} from "../../source/codecs/zstd-header.ts";
import type { ByteSource } from "../../source/source.ts";
import type { Segment } from "../codec.ts";
import { InputWindow } from "../input-window.ts";
import { EMPTY_LAST_BLOCK, HEADER_ROOM, type Part, Parts } from "./parts.ts";
import type { State } from "./state.ts";
import { type Frame, walk } from "./walk.ts";

/** What a segment's beginning is decoded from. */
export interface Stored {
  readonly parts: readonly Part[];
  /** Bytes that its blocks decode to, if each has as many as it can. */
  readonly size: number;
}

/** Of the stored bytes a part takes its share, more or less. */
const SPARE = 2 ** 16;

/** Blocks until they decode to `wanted` bytes, if each has as many as it can, and one more else. */
export async function storedParts(
  compressed: ByteSource,
  segment: Segment,
  { inside, hasFullBlocks }: State,
  wanted: number,
): Promise<Stored> {
  const { from, inEnd, length } = segment;
  const isWhole = wanted >= length;
  const enough = isWhole ? Infinity : hasFullBlocks ? wanted : wanted + MAX_BLOCK_SIZE;
  const frame = inside?.frame ?? null;
  const all = inEnd - from.inOffset;
  const some = isWhole ? all : Math.min(all, Math.ceil(all * (enough / length)) + SPARE);
  const atOnce = frame ? await readBlocks(compressed, segment, frame, enough, some) : null;
  return atOnce ?? walkBlocks(compressed, segment, frame, enough);
}

/**
 * Blocks of one frame, read at once to where the decoder takes them. `null` where the frame ends
 * among them, or `some` of the stored bytes are too few, or damaged.
 */
async function readBlocks(
  compressed: ByteSource,
  { from, inEnd }: Segment,
  frame: Frame,
  enough: number,
  some: number,
): Promise<Stored | null> {
  if (inEnd > compressed.size) return null;
  const begin = HEADER_ROOM.length;
  const end = begin + some;
  const bytes = new Uint8Array(end + EMPTY_LAST_BLOCK.length);
  await compressed.read(bytes.subarray(begin, end), from.inOffset);
  let size = 0;
  let at = begin;
  while (size < enough && from.inOffset + at - begin < inEnd) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + BLOCK_HEADER_SIZE);
    const block = readBlockHeader(a | (b << 8) | (c << 16));
    if (block === null || block.isLast) return null;
    at += BLOCK_HEADER_SIZE + block.stored;
    if (at > end) return null;
    size += block.type === COMPRESSED_BLOCK ? MAX_BLOCK_SIZE : block.size;
  }
  bytes.set(EMPTY_LAST_BLOCK, at);
  const used = bytes.subarray(0, at + EMPTY_LAST_BLOCK.length);
  return { parts: [{ frame, bytes: used, needsDictionary: true, checksum: null }], size };
}

/** Whatever blocks and frames there are, one after the other. */
async function walkBlocks(
  compressed: ByteSource,
  { from, inEnd }: Segment,
  frame: Frame | null,
  enough: number,
): Promise<Stored> {
  let size = 0;
  const parts = new Parts(frame, inEnd - from.inOffset);
  const input = new InputWindow(compressed, from.inOffset, inEnd);
  for await (const step of walk(input, frame)) {
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
