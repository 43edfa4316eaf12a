import { ImageBackupError } from "../../bytes/errors.ts";
import type { ByteStream } from "../source.ts";
import { damaged } from "./damaged.ts";

/** RFC 8878, 3.1.1: Magic_Number of a frame. */
const FRAME_MAGIC = 0xfd2fb528;
/** RFC 8878, 3.1.2: the sixteen magic numbers of skippable frames, without their low digit. */
const SKIPPABLE_MAGIC = 0x184d2a5;
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
    const magic = view(await peekExactly(input, 4)).getUint32(0, true);
    if (magic === FRAME_MAGIC) yield* frame(input);
    else if (magic >>> 4 === SKIPPABLE_MAGIC) await skipFrame(input);
    else throw damaged(input, "zstd", "something that is not zstd follows the last frame");
  }
}

async function* frame(input: ByteStream): AsyncGenerator<Uint8Array> {
  const descriptor = view(await peekExactly(input, 5)).getUint8(4);
  const header = await readExactly(input, headerSize(descriptor));
  refuseLargeWindow(input, header);
  yield header;
  for (let isLast = false; !isLast; ) {
    const block = view(await peekExactly(input, 3));
    const bits = block.getUint16(0, true) | (block.getUint8(2) << 16);
    isLast = (bits & 1) === 1;
    const type = (bits >> 1) & 3;
    const size = bits >> 3;
    if (type === RESERVED_BLOCK || size > MAX_BLOCK_SIZE) {
      throw damaged(input, "zstd", "a block header is invalid");
    }
    yield await readExactly(input, 3 + (type === RLE_BLOCK ? 1 : size));
  }
  const hasChecksum = (descriptor & 4) !== 0;
  if (hasChecksum) yield await readExactly(input, 4);
}

async function skipFrame(input: ByteStream): Promise<void> {
  const size = view(await readExactly(input, 8)).getUint32(4, true);
  if ((await input.skip(size)) < size) throw truncated(input);
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
  const log = Math.ceil(Math.log2(size));
  throw new ImageBackupError(
    "UNSUPPORTED",
    `${input.name}: decompressing it needs ${Math.ceil(size / 2 ** 20)} MiB of memory at once ` +
      `(zstd --long); use: zstd -dc --long=${log} ${input.name} | vpartclone -c -`,
  );
}

/** RFC 8878, 3.1.1.1.2 and 3.1.1.1.4: the window's size, or a single segment's content size. */
function windowSizeOf(header: Uint8Array): number {
  const fields = view(header);
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

async function isAtEnd(input: ByteStream): Promise<boolean> {
  return (await input.peek(new Uint8Array(1))) === 0;
}

async function peekExactly(input: ByteStream, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  if ((await input.peek(bytes)) < length) throw truncated(input);
  return bytes;
}

async function readExactly(input: ByteStream, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  if ((await input.read(bytes)) < length) throw truncated(input);
  return bytes;
}

function truncated(input: ByteStream): ImageBackupError {
  return damaged(input, "zstd", "it ends inside a frame");
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
