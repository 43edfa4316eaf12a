import type { ByteStream } from "../source.ts";
import { beyondUs, damaged } from "./damaged.ts";
import { isAtEnd, isSkippable, peekExactly, readExactly, skipFrame } from "./exact.ts";
import {
  FRAME_MAGIC,
  type FrameHeader,
  HEADER_START_SIZE,
  headerSize,
  MAX_WINDOW_SIZE,
  readBlockHeader,
  readFrameHeader,
} from "./zstd-header.ts";

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
  const descriptor = (await peekExactly(input, "zstd", HEADER_START_SIZE)).getUint8(4);
  const bytes = await readExactly(input, "zstd", headerSize(descriptor));
  const header = readFrameHeader(bytes);
  refuseLargeWindow(input, header);
  yield bytes;
  for (let isLast = false; !isLast; ) {
    const bits = await peekExactly(input, "zstd", 3);
    const block = readBlockHeader(bits.getUint16(0, true) | (bits.getUint8(2) << 16));
    if (block === null) throw damaged(input, "zstd", "a block header is invalid");
    isLast = block.isLast;
    yield await readExactly(input, "zstd", 3 + block.stored);
  }
  if (header.hasChecksum) yield await readExactly(input, "zstd", 4);
}

function refuseLargeWindow(input: ByteStream, { windowSize }: FrameHeader): void {
  if (windowSize <= MAX_WINDOW_SIZE) return;
  const reason = `decompressing it needs ${Math.ceil(windowSize / 2 ** 20)} MiB of memory at once`;
  throw beyondUs(input, reason, `zstd -dc --long=${Math.ceil(Math.log2(windowSize))}`);
}
