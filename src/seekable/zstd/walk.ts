import { viewOf } from "../../bytes/view.ts";
import { isSkippable } from "../../source/codecs/exact.ts";
import {
  BLOCK_HEADER_SIZE,
  type BlockHeader,
  FRAME_MAGIC,
  type FrameHeader,
  HEADER_START_SIZE,
  headerSize,
  MAX_WINDOW_SIZE,
  readBlockHeader,
  readFrameHeader,
} from "../../source/codecs/zstd-header.ts";
import { beyondRandomAccess, corrupt } from "../damage.ts";
import type { InputWindow } from "../input-window.ts";

/** What compressed data are made of, one after the other; the bytes are valid until the next. */
export type Step =
  | { readonly type: "frame"; readonly at: number; readonly frame: Frame }
  | {
      readonly type: "block";
      readonly block: BlockHeader;
      readonly bytes: Uint8Array;
    }
  /** The checksum, four bytes or none. */
  | { readonly type: "frame-end"; readonly bytes: Uint8Array };

export interface Frame {
  readonly header: FrameHeader;
  /** The header as it is stored. */
  readonly bytes: Uint8Array;
}

const SKIPPABLE_HEADER_SIZE = 8;

/** Follows frames and blocks from `input`'s position, which is within `inside` or between frames. */
export async function* walk(input: InputWindow, inside: Frame | null): AsyncGenerator<Step> {
  if (inside) yield* blocks(input, inside);
  for (;;) {
    const at = input.position;
    const head = await input.peek(SKIPPABLE_HEADER_SIZE);
    if (head.length === 0) return;
    const magic = head.length < 4 ? 0 : viewOf(head).getUint32(0, true);
    if (magic === FRAME_MAGIC) {
      const frame = await readFrame(input);
      yield { type: "frame", at, frame };
      yield* blocks(input, frame);
    } else if (isSkippable(magic)) {
      if (head.length < SKIPPABLE_HEADER_SIZE) throw truncated(input);
      input.skip(SKIPPABLE_HEADER_SIZE + viewOf(head).getUint32(4, true));
      if (input.position > input.end) throw truncated(input);
    } else {
      throw corrupt(input.source, "zstd", at, "something that is not zstd follows the last frame");
    }
  }
}

async function readFrame(input: InputWindow): Promise<Frame> {
  const [descriptor] = (await exactly(input, HEADER_START_SIZE)).subarray(4);
  const bytes = (await exactly(input, headerSize(descriptor ?? 0))).slice();
  const header = readFrameHeader(bytes);
  if (header.windowSize > MAX_WINDOW_SIZE) {
    const size = Math.ceil(header.windowSize / 2 ** 20);
    throw beyondRandomAccess(
      input.source,
      "zstd",
      `reading it needs ${size} MiB of memory at once`,
    );
  }
  input.skip(bytes.length);
  return { header, bytes };
}

/** At the end of an input that ends within the frame the last step is a block. */
async function* blocks(input: InputWindow, { header }: Frame): AsyncGenerator<Step> {
  for (let isLast = false; !isLast; ) {
    const [a = 0, b = 0, c = 0] = await exactly(input, BLOCK_HEADER_SIZE);
    const block = readBlockHeader(a | (b << 8) | (c << 16));
    if (block === null) {
      throw corrupt(input.source, "zstd", input.position, "a block header is invalid");
    }
    const bytes = await exactly(input, BLOCK_HEADER_SIZE + block.stored);
    isLast = block.isLast;
    input.skip(bytes.length);
    yield { type: "block", block, bytes };
  }
  const bytes = await exactly(input, header.hasChecksum ? 4 : 0);
  input.skip(bytes.length);
  yield { type: "frame-end", bytes };
}

async function exactly(input: InputWindow, count: number): Promise<Uint8Array> {
  const bytes = await input.peek(count);
  if (bytes.length < count) throw truncated(input);
  return bytes;
}

function truncated(input: InputWindow) {
  return corrupt(input.source, "zstd", input.position, "the file ends early");
}
