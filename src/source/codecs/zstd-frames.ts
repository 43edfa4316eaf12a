import type { ByteStream } from "../source.ts";
import { beyondUs, damaged } from "./damaged.ts";
import { isAtEnd, isSkippable, peekExactly, readExactly, skipFrame, viewOf } from "./exact.ts";

/** RFC 8878, 3.1.1: Magic_Number of a frame. */
const FRAME_MAGIC = 0xfd2fb528;
/** RFC 8878, 3.1.1.2.4: no block is larger, decompressed or not. */
const MAX_BLOCK_SIZE = 128 * 1024;
const RESERVED_BLOCK = 3;
const RLE_BLOCK = 1;
/** What `zstd -d` accepts unless told otherwise; a larger window is as much memory. */
const MAX_WINDOW_SIZE = 2 ** 27;

/** Sizes of the optional header fields, by their flag (RFC 8878, 3.1.1.1.1). */
const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_SIZES = [0, 2, 4, 8] as const;

/**
 * The bytes of Zstandard frames, block by block. The runtime's decompressor takes the end of its
 * input for the end of the data wherever that is, and ignores what follows the last frame; the
 * frames are walked here so that a truncated image is not taken for a short one.
 */
export async function* zstdBlocks(input: ByteStream): AsyncGenerator<Uint8Array> {
  while (!(await isAtEnd(input))) {
    const magic = (await peekExactly(input, "zstd", 4)).getUint32(0, true);
    if (magic === FRAME_MAGIC) yield* frame(input);
    else if (isSkippable(magic)) await skipFrame(input, "zstd");
    else throw damaged(input, "zstd", "something that is not zstd follows the last frame");
  }
}

async function* frame(input: ByteStream): AsyncGenerator<Uint8Array> {
  const descriptor = (await peekExactly(input, "zstd", 5)).getUint8(4);
  const header = await readExactly(input, "zstd", headerSize(descriptor));
  refuseLargeWindow(input, header);
  yield header;
  for (let isLast = false; !isLast; ) {
    const block = await peekExactly(input, "zstd", 3);
    const bits = block.getUint16(0, true) | (block.getUint8(2) << 16);
    isLast = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === RESERVED_BLOCK || size > MAX_BLOCK_SIZE) {
      throw damaged(input, "zstd", "a block header is invalid");
    }
    yield await readExactly(input, "zstd", 3 + (type === RLE_BLOCK ? 1 : size));
  }
  const hasChecksum = (descriptor & 4) !== 0;
  if (hasChecksum) yield await readExactly(input, "zstd", 4);
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

/** A single segment has no window descriptor, and always says its content's size. */
function contentSizeSize(descriptor: number): number {
  const size = CONTENT_SIZE_SIZES[(descriptor >> 6) as 0 | 1 | 2 | 3];
  return size === 0 && isSingleSegment(descriptor) ? 1 : size;
}

function headerSize(descriptor: number): number {
  const windowSize = isSingleSegment(descriptor) ? 0 : 1;
  const dictionarySize = DICTIONARY_ID_SIZES[(descriptor & 3) as 0 | 1 | 2 | 3];
  return 5 + windowSize + dictionarySize + contentSizeSize(descriptor);
}

function refuseLargeWindow(input: ByteStream, header: Uint8Array): void {
  const size = windowSizeOf(header);
  if (size <= MAX_WINDOW_SIZE) return;
  const reason = `decompressing it needs ${Math.ceil(size / 2 ** 20)} MiB of memory at once`;
  throw beyondUs(input, reason, `zstd -dc --long=${Math.ceil(Math.log2(size))}`);
}

/** RFC 8878, 3.1.1.1.2 and 3.1.1.1.4: the window's size, or a single segment's content size. */
function windowSizeOf(header: Uint8Array): number {
  const fields = viewOf(header);
  const descriptor = fields.getUint8(4);
  if (!isSingleSegment(descriptor)) {
    const exponent = fields.getUint8(5) >> 3;
    const mantissa = fields.getUint8(5) & 7;
    return 2 ** (10 + exponent) * (1 + mantissa / 8);
  }
  const size = contentSizeSize(descriptor);
  const at = header.length - size;
  if (size === 1) return fields.getUint8(at);
  if (size === 2) return fields.getUint16(at, true) + 256;
  if (size === 4) return fields.getUint32(at, true);
  return Number(fields.getBigUint64(at, true));
}
