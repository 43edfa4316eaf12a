import { viewOf } from "../../bytes/view.ts";
import type { ByteStream } from "../source.ts";
import { damaged } from "./damaged.ts";
import { isAtEnd, readExactly } from "./exact.ts";
import { decodeLzoBlock } from "./lzo-block.ts";
import { type Checksum, type LzopFlags, lzopFlags, readLzopHeader } from "./lzop-header.ts";

/** lzop's own bound; it writes blocks of 256 KiB. */
const MAX_BLOCK_SIZE = 64 * 2 ** 20;
/** Size of the decompressed chunks. */
const OUTPUT_SIZE = 256 * 1024;

export interface LzopBlock {
  /** Decoded; valid until the next block. */
  readonly bytes: Uint8Array;
  readonly isChecked: boolean;
  /** Of the file that the block is in: all that must be known to go on after it. */
  readonly flags: number;
}

/** Decompresses lzop files one after the other. */
export async function* unlzop(input: ByteStream): AsyncGenerator<Uint8Array> {
  for await (const { bytes } of lzopBlocks(input, null)) {
    // Copies, which the reader may keep.
    for (let at = 0; at < bytes.length; at += OUTPUT_SIZE) yield bytes.slice(at, at + OUTPUT_SIZE);
  }
}

/** The blocks of all files, from between two of them or, with `null`, from before a file. */
export async function* lzopBlocks(
  input: ByteStream,
  inside: number | null,
): AsyncGenerator<LzopBlock> {
  if (inside !== null) yield* blocksFrom(input, inside);
  while (!(await isAtEnd(input))) yield* blocksFrom(input, await readLzopHeader(input));
}

async function* blocksFrom(input: ByteStream, flags: number): AsyncGenerator<LzopBlock> {
  const checksums = lzopFlags(flags);
  const isChecked = checksums.decoded.length > 0;
  let room = new Uint8Array();
  for (let size = await readWord(input); size > 0; size = await readWord(input)) {
    if (size > MAX_BLOCK_SIZE) throw damaged(input, "lzop", "a block is too large");
    if (size > room.length) room = new Uint8Array(size);
    yield { bytes: await readBlock(input, checksums, room.subarray(0, size)), isChecked, flags };
  }
}

async function readBlock(
  input: ByteStream,
  { decoded, stored }: LzopFlags,
  room: Uint8Array,
): Promise<Uint8Array> {
  const size = await readWord(input);
  if (size === 0 || size > room.length) throw damaged(input, "lzop", "a block is too large");
  const ofDecoded = await readChecksums(input, decoded);
  const isPlain = size === room.length;
  const ofStored = await readChecksums(input, isPlain ? [] : stored);
  const bytes = await readExactly(input, "lzop", size);
  if (!areRight(ofStored, bytes)) throw damaged(input, "lzop", "a checksum differs");
  if (isPlain) room.set(bytes);
  else if (decodeLzoBlock(bytes, room) !== room.length) {
    throw damaged(input, "lzop", "a block contradicts itself");
  }
  if (!areRight(ofDecoded, room)) throw damaged(input, "lzop", "a checksum differs");
  return room;
}

type Stored = readonly (readonly [checksum: Checksum, value: number])[];

async function readChecksums(input: ByteStream, checksums: readonly Checksum[]): Promise<Stored> {
  const values: [Checksum, number][] = [];
  for (const checksum of checksums) values.push([checksum, await readWord(input)]);
  return values;
}

const areRight = (checksums: Stored, bytes: Uint8Array): boolean =>
  checksums.every(([checksum, value]) => checksum(bytes) === value);

async function readWord(input: ByteStream): Promise<number> {
  return viewOf(await readExactly(input, "lzop", 4)).getUint32(0);
}
