import { createXXHash32, type IHasher } from "hash-wasm";
import { viewOf } from "../../bytes/view.ts";
import type { ByteStream } from "../source.ts";
import { badContent, damaged } from "./damaged.ts";
import { isAtEnd, isSkippable, peekExactly, readExactly, skipFrame, truncated } from "./exact.ts";
import { decodeLz4Block, HISTORY_SIZE } from "./lz4-block.ts";
import { type Lz4Header, readLz4Header } from "./lz4-header.ts";

const FRAME_MAGIC = 0x184d2204;
const LEGACY_MAGIC = 0x184c2102;
/** Set in a block's size: it is stored as it is. */
const UNCOMPRESSED = 0x80000000;
/** Every block of a legacy frame but the last holds this much. */
const LEGACY_BLOCK_SIZE = 8 * 2 ** 20;
/** What one can become where nothing repeats (LZ4_compressBound); a larger size is a magic number. */
const MAX_LEGACY_STORED = LEGACY_BLOCK_SIZE + Math.floor(LEGACY_BLOCK_SIZE / 255) + 16;

/** Size of the decompressed chunks. */
const OUTPUT_SIZE = 256 * 1024;

/** One for all frames: frames may be small and many, and their buffers are large. */
interface Buffers {
  /** The block as it is stored. */
  stored: Uint8Array;
  /** The decoded block at HISTORY_SIZE, after the bytes that it may copy from. */
  decoded: Uint8Array;
  /** How many of those there are. */
  history: number;
}

/** A place between two blocks of a frame: all that a decoder must know there. */
export interface Lz4Place {
  /** `null`: a legacy frame. */
  readonly header: Lz4Header | null;
  /** Decoded bytes of the frame that are before. */
  readonly size: number;
  /** The state of their XXH32. */
  readonly checksum: Uint8Array;
  /** The last of them, as far as the next block may copy from them. */
  readonly history: Uint8Array;
}

export interface Lz4Block {
  /** Decoded; valid until the next block. */
  readonly bytes: Uint8Array;
  readonly isChecked: boolean;
  /** After the block, where the input is now. */
  place(): Promise<Lz4Place>;
}

const FRAME_START: Omit<Lz4Place, "header"> = {
  size: 0,
  checksum: new Uint8Array(),
  history: new Uint8Array(),
};

/** Decompresses LZ4 frames one after the other (LZ4 Frame Format 1.6.4), legacy ones too. */
export async function* unlz4(input: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of lz4Blocks(input, null)) {
    // Copies, which the reader may keep.
    for (let at = 0; at < bytes.length; at += OUTPUT_SIZE) yield bytes.slice(at, at + OUTPUT_SIZE);
  }
}

/** The blocks of all frames, from a place in one of them or, with `null`, from before one. */
export async function* lz4Blocks(
  input: ByteStream,
  inside: Lz4Place | null,
): AsyncGenerator<Lz4Block> {
  const buffers: Buffers = { stored: new Uint8Array(), decoded: new Uint8Array(), history: 0 };
  if (inside) yield* blocksFrom(input, buffers, inside);
  while (!(await isAtEnd(input))) {
    const magic = await peekWord(input);
    if (magic === FRAME_MAGIC) {
      const header = await readLz4Header(input, await createXXHash32());
      yield* blocksFrom(input, buffers, { ...FRAME_START, header });
    } else if (magic === LEGACY_MAGIC) {
      await input.skip(4);
      yield* blocksFrom(input, buffers, { ...FRAME_START, header: null });
    } else if (isSkippable(magic)) await skipFrame(input, "lz4");
    else throw damaged(input, "lz4", "something that is not lz4 follows the last frame");
  }
}

function blocksFrom(
  input: ByteStream,
  buffers: Buffers,
  place: Lz4Place,
): AsyncGenerator<Lz4Block> {
  const { header } = place;
  return header ? frame(input, buffers, place, header) : legacyFrame(input, buffers);
}

async function* frame(
  input: ByteStream,
  buffers: Buffers,
  start: Lz4Place,
  header: Lz4Header,
): AsyncGenerator<Lz4Block> {
  const { maxBlockSize, hasBlockChecksums, hasContentChecksum, contentSize } = header;
  const isChecked = hasBlockChecksums || hasContentChecksum;
  const hasher = await createXXHash32();
  let content = await hasherAt(start.checksum);
  fit(buffers, maxBlockSize, maxBlockSize, start.history);
  let { size } = start;
  const place = async (): Promise<Lz4Place> => {
    const checksum = content.save();
    // What is saved next must not depend on what was hashed before this place.
    content = await hasherAt(checksum);
    return { header, size, checksum, history: historyOf(buffers) };
  };
  for (let word = await readWord(input); word !== 0; word = await readWord(input)) {
    const stored = await readBlock(input, buffers, word % UNCOMPRESSED, maxBlockSize);
    if (hasBlockChecksums && !(await isNext(input, hasher.init().update(stored)))) {
      throw damaged(input, "lz4", "a checksum differs");
    }
    const block = decode(input, buffers, stored, word >= UNCOMPRESSED, maxBlockSize);
    if (hasContentChecksum) content.update(block);
    size += block.length;
    if (!header.isIndependent) keepHistory(buffers, block);
    yield { bytes: block, isChecked, place };
  }
  if (hasContentChecksum && !(await isNext(input, content))) throw badContent(input, "lz4");
  if (contentSize !== null && Number(contentSize) !== size) {
    throw damaged(input, "lz4", "the data is not as long as the frame's header says");
  }
}

/** It has no end mark and no checksum: it ends with the file, or where another frame begins. */
async function* legacyFrame(input: ByteStream, buffers: Buffers): AsyncGenerator<Lz4Block> {
  fit(buffers, MAX_LEGACY_STORED, LEGACY_BLOCK_SIZE, FRAME_START.history);
  const place = async (): Promise<Lz4Place> => ({ ...FRAME_START, header: null });
  while (!(await isAtEnd(input)) && (await peekWord(input)) <= MAX_LEGACY_STORED) {
    const stored = await readBlock(input, buffers, await readWord(input), MAX_LEGACY_STORED);
    const bytes = decode(input, buffers, stored, false, LEGACY_BLOCK_SIZE);
    yield { bytes, isChecked: false, place };
  }
}

async function hasherAt(state: Uint8Array): Promise<IHasher> {
  const hasher = await createXXHash32();
  return state.length > 0 ? hasher.load(state) : hasher.init();
}

function fit(buffers: Buffers, storedSize: number, blockSize: number, history: Uint8Array): void {
  if (buffers.stored.length < storedSize) buffers.stored = new Uint8Array(storedSize);
  const size = HISTORY_SIZE + blockSize;
  if (buffers.decoded.length < size) buffers.decoded = new Uint8Array(size);
  buffers.history = history.length;
  buffers.decoded.set(history, HISTORY_SIZE - history.length);
}

/** The decoded block, in place until the next one. */
function decode(
  input: ByteStream,
  { decoded, history }: Buffers,
  stored: Uint8Array,
  isUncompressed: boolean,
  maxSize: number,
): Uint8Array {
  const room = decoded.subarray(0, HISTORY_SIZE + maxSize);
  if (isUncompressed) room.set(stored, HISTORY_SIZE);
  const end = isUncompressed
    ? HISTORY_SIZE + stored.length
    : decodeLz4Block(stored, room, HISTORY_SIZE, HISTORY_SIZE - history);
  if (end === null) throw damaged(input, "lz4", "a block contradicts itself");
  return room.subarray(HISTORY_SIZE, end);
}

function keepHistory(buffers: Buffers, block: Uint8Array): void {
  const end = HISTORY_SIZE + block.length;
  buffers.history = Math.min(HISTORY_SIZE, buffers.history + block.length);
  buffers.decoded.copyWithin(HISTORY_SIZE - buffers.history, end - buffers.history, end);
}

function historyOf({ decoded, history }: Buffers): Uint8Array {
  return decoded.slice(HISTORY_SIZE - history, HISTORY_SIZE);
}

async function readBlock(
  input: ByteStream,
  buffers: Buffers,
  size: number,
  maxSize: number,
): Promise<Uint8Array> {
  if (size > maxSize) throw damaged(input, "lz4", "a block is larger than the frame allows");
  const stored = buffers.stored.subarray(0, size);
  if ((await input.read(stored)) < size) throw truncated(input, "lz4");
  return stored;
}

async function isNext(input: ByteStream, hasher: IHasher): Promise<boolean> {
  return Number.parseInt(hasher.digest(), 16) === (await readWord(input));
}

async function peekWord(input: ByteStream): Promise<number> {
  return (await peekExactly(input, "lz4", 4)).getUint32(0, true);
}

async function readWord(input: ByteStream): Promise<number> {
  return viewOf(await readExactly(input, "lz4", 4)).getUint32(0, true);
}
