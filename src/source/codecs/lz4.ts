import { createXXHash32, type IHasher } from "hash-wasm";
import type { ByteStream } from "../source.ts";
import { damaged } from "./damaged.ts";
import { isAtEnd, isSkippable, peekExactly, readExactly, skipFrame, viewOf } from "./exact.ts";
import { decodeLz4Block, HISTORY_SIZE } from "./lz4-block.ts";
import { readLz4Header } from "./lz4-header.ts";

const FRAME_MAGIC = 0x184d2204;
const LEGACY_MAGIC = 0x184c2102;
/** Set in a block's size: it is stored as it is. */
const UNCOMPRESSED = 0x80000000;
/** Every block of a legacy frame but the last holds this much. */
const LEGACY_BLOCK_SIZE = 8 * 2 ** 20;
/** What one can become where nothing repeats (LZ4_compressBound); a larger size is a magic number. */
const MAX_LEGACY_STORED = LEGACY_BLOCK_SIZE + Math.floor(LEGACY_BLOCK_SIZE / 255) + 16;

/** The block being decoded, at HISTORY_SIZE, after the bytes that it may copy from. */
interface Window {
  readonly bytes: Uint8Array;
  history: number;
}

/** Decompresses LZ4 frames one after the other (LZ4 Frame Format 1.6.4), legacy ones too. */
export async function* unlz4(input: ByteStream): AsyncGenerator<Uint8Array> {
  while (!(await isAtEnd(input))) {
    const magic = await peekWord(input);
    if (magic === FRAME_MAGIC) yield* frame(input);
    else if (magic === LEGACY_MAGIC) yield* legacyFrame(input);
    else if (isSkippable(magic)) await skipFrame(input, "lz4");
    else throw damaged(input, "lz4", "something that is not lz4 follows the last frame");
  }
}

async function* frame(input: ByteStream): AsyncGenerator<Uint8Array> {
  const hasher = await createXXHash32();
  const header = await readLz4Header(input, hasher);
  const window = windowFor(header.maxBlockSize);
  const content = (await createXXHash32()).init();
  let size = 0n;
  for (let word = await readWord(input); word !== 0; word = await readWord(input)) {
    const stored = await readBlock(input, word % UNCOMPRESSED, header.maxBlockSize);
    if (header.hasBlockChecksums) await check(input, hasher.init().update(stored));
    const bytes = decode(input, stored, word >= UNCOMPRESSED, window);
    if (header.isIndependent) window.history = 0;
    content.update(bytes);
    size += BigInt(bytes.length);
    yield bytes;
  }
  if (header.hasContentChecksum) await check(input, content);
  if (header.contentSize !== null && header.contentSize !== size) {
    throw damaged(input, "lz4", "the data is not as long as the frame's header says");
  }
}

/** It has no end mark and no checksum: it ends with the file, or where another frame begins. */
async function* legacyFrame(input: ByteStream): AsyncGenerator<Uint8Array> {
  await input.skip(4);
  const window = windowFor(LEGACY_BLOCK_SIZE);
  while (!(await isAtEnd(input)) && (await peekWord(input)) <= MAX_LEGACY_STORED) {
    const stored = await readBlock(input, await readWord(input), MAX_LEGACY_STORED);
    window.history = 0;
    yield decode(input, stored, false, window);
  }
}

function windowFor(blockSize: number): Window {
  return { bytes: new Uint8Array(HISTORY_SIZE + blockSize), history: 0 };
}

function decode(
  input: ByteStream,
  stored: Uint8Array,
  isUncompressed: boolean,
  window: Window,
): Uint8Array {
  const { bytes, history } = window;
  if (isUncompressed) bytes.set(stored, HISTORY_SIZE);
  const end = isUncompressed
    ? HISTORY_SIZE + stored.length
    : decodeLz4Block(stored, bytes, HISTORY_SIZE, HISTORY_SIZE - history);
  if (end === null) throw damaged(input, "lz4", "a block contradicts itself");
  const decoded = bytes.slice(HISTORY_SIZE, end);
  window.history = Math.min(HISTORY_SIZE, history + decoded.length);
  bytes.copyWithin(HISTORY_SIZE - window.history, end - window.history, end);
  return decoded;
}

async function readBlock(input: ByteStream, size: number, maxSize: number): Promise<Uint8Array> {
  if (size > maxSize) throw damaged(input, "lz4", "a block is larger than the frame allows");
  return readExactly(input, "lz4", size);
}

async function check(input: ByteStream, hasher: IHasher): Promise<void> {
  if (Number.parseInt(hasher.digest(), 16) !== (await readWord(input))) {
    throw damaged(input, "lz4", "a checksum differs");
  }
}

async function peekWord(input: ByteStream): Promise<number> {
  return (await peekExactly(input, "lz4", 4)).getUint32(0, true);
}

async function readWord(input: ByteStream): Promise<number> {
  return viewOf(await readExactly(input, "lz4", 4)).getUint32(0, true);
}
