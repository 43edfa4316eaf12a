import type { ByteStream } from "../source.ts";
import { BitReader } from "./bits.ts";
import { decodeBlock, maxBlockBytes } from "./bzip2-block.ts";
import { type Block, type Cursor, cursorOf, unrun } from "./bzip2-output.ts";
import { beyondUs, damaged } from "./damaged.ts";
import { isAtEnd, readExactly, truncated } from "./exact.ts";

const OUTPUT_SIZE = 256 * 1024;
const BLOCK_SIZE_UNIT = 100_000;
const MAX_BLOCK_SIZE = 9 * BLOCK_SIZE_UNIT;
/** The digits of pi begin a block, those of its root end the stream. */
const BLOCK_MAGIC = [0x314159, 0x265359] as const;
const END_MAGIC = [0x177245, 0x385090] as const;

/** One for all streams: pbzip2 writes one for every block. */
interface Buffers {
  /** A block begins and ends at any bit, so this holds the input from where the next one begins. */
  readonly window: Uint8Array;
  readonly table: Uint32Array;
}

/** A place between two blocks of a stream: all that a decoder must know there. */
export interface Bzip2Place {
  /** Bits of the next byte of the input that belong to what is before. */
  readonly bit: number;
  /** Hundreds of thousands of bytes in a block, 1 to 9. */
  readonly level: number;
  /** Of the stream's blocks so far. */
  readonly crc: number;
}

/** Some of a block. */
export interface Bzip2Piece {
  readonly bytes: Uint8Array;
  /** Behind it, where the input is now; `null`: within the block. The last has been checked. */
  readonly place: Bzip2Place | null;
}

/** Decompresses bzip2 streams one after the other. */
export async function* bunzip2(input: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of bzip2Pieces(input, null)) if (bytes.length > 0) yield bytes;
}

/** The blocks of all streams, from a place in one of them or, with `null`, from before one. */
export async function* bzip2Pieces(
  input: ByteStream,
  inside: Bzip2Place | null,
): AsyncGenerator<Bzip2Piece> {
  const window = new Uint8Array(maxBlockBytes(MAX_BLOCK_SIZE));
  const table = new Uint32Array(MAX_BLOCK_SIZE);
  if (inside) yield* blocksFrom(input, { window, table }, inside);
  while (!(await isAtEnd(input))) {
    yield* blocksFrom(input, { window, table }, await readHeader(input));
  }
}

async function readHeader(input: ByteStream): Promise<Bzip2Place> {
  const [b, z, h, level = 0] = await readExactly(input, "bzip2", 4);
  const isHeader = b === 0x42 && z === 0x5a && h === 0x68 && level >= 0x31 && level <= 0x39;
  if (!isHeader) throw damaged(input, "bzip2", "something that is not bzip2 follows the data");
  return { bit: 0, level: level - 0x30, crc: 0 };
}

async function* blocksFrom(
  input: ByteStream,
  buffers: Buffers,
  start: Bzip2Place,
): AsyncGenerator<Bzip2Piece> {
  const { level } = start;
  const blockSize = level * BLOCK_SIZE_UNIT;
  const window = buffers.window.subarray(0, maxBlockBytes(blockSize));
  const table = buffers.table.subarray(0, blockSize);
  let { crc, bit } = start;
  for (;;) {
    const bits = new BitReader(window.subarray(0, await input.peek(window)), bit);
    const block = nextBlock(input, bits, table);
    if (block === null) {
      const stored = bits.read(16) * 0x10000 + bits.read(16);
      await advance(input, bits, Math.ceil(bits.position / 8));
      if (stored !== crc) throw badChecksum(input);
      return;
    }
    const cursor = cursorOf(block);
    const last = yield* allButLast(cursor);
    if (~cursor.crc >>> 0 !== block.crc) throw badChecksum(input);
    crc = (((crc << 1) | (crc >>> 31)) ^ block.crc) >>> 0;
    bit = bits.position % 8;
    await advance(input, bits, Math.floor(bits.position / 8));
    yield { bytes: last, place: { bit, level, crc } };
  }
}

/** The next block, `null` at the stream's end. */
function nextBlock(input: ByteStream, bits: BitReader, table: Uint32Array): Block | null {
  const magic = [bits.read(24), bits.read(24)];
  if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) return null;
  if (bits.isPastEnd) throw truncated(input, "bzip2");
  if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) {
    throw damaged(input, "bzip2", "a block's header is invalid");
  }
  const crc = bits.read(16) * 0x10000 + bits.read(16);
  if (bits.read(1) === 1) {
    throw beyondUs(input, "it is from bzip2 before 0.9.5, which is not read", "bzip2 -dc");
  }
  const decoded = decodeBlock(bits, table);
  if (bits.isPastEnd) throw truncated(input, "bzip2");
  if (decoded === null) throw damaged(input, "bzip2", "a block contradicts itself");
  return { ...decoded, crc };
}

/** Full pieces; returns the last one, which is not. */
function* allButLast(cursor: Cursor): Generator<Bzip2Piece, Uint8Array> {
  for (;;) {
    const bytes = new Uint8Array(OUTPUT_SIZE);
    const size = unrun(cursor, bytes);
    if (size < bytes.length) return bytes.subarray(0, size);
    yield { bytes, place: null };
  }
}

async function advance(input: ByteStream, bits: BitReader, count: number): Promise<void> {
  if (bits.isPastEnd) throw truncated(input, "bzip2");
  await input.skip(count);
}

function badChecksum(input: ByteStream) {
  return damaged(input, "bzip2", "a checksum differs");
}
