import { crc32 } from "node:zlib";
import { viewOf } from "../../bytes/view.ts";
import type { ByteStream } from "../source.ts";
import { beyondUs, damaged } from "./damaged.ts";
import { readExactly } from "./exact.ts";

/** Which checksums are before each block, and how they are made. */
export interface LzopFlags {
  readonly decoded: readonly Checksum[];
  /** Of a block as it is stored, where it is smaller than decoded. */
  readonly stored: readonly Checksum[];
}

export type Checksum = (bytes: Uint8Array) => number;

const LZOP_MAGIC = "894c5a4f000d0a1a0a";
/** Since this version there are a few more fields. */
const VERSION_0940 = 0x0940;
/** LZO1X-1, LZO1X-1(15), LZO1X-999: one decoder for all. */
const LZO1X_METHODS = [1, 2, 3];
const HAS_EXTRA_FIELD = 0x40;
const IS_FILTERED = 0x800;
const HEADER_HAS_CRC32 = 0x1000;

const adler32: Checksum = (bytes) => Bun.hash.adler32(bytes);

/** The checksums that the flags name, in the order in which they are stored. */
export function lzopFlags(flags: number): LzopFlags {
  const named = (adler: number, crc: number): Checksum[] => [
    ...(flags & adler ? [adler32] : []),
    ...(flags & crc ? [(bytes: Uint8Array) => crc32(bytes)] : []),
  ];
  return { decoded: named(0x1, 0x100), stored: named(0x2, 0x200) };
}

/** Reads a file's header, its magic first; returns its flags. */
export async function readLzopHeader(input: ByteStream): Promise<number> {
  const magic = await readExactly(input, "lzop", LZOP_MAGIC.length / 2);
  if (magic.toHex() !== LZOP_MAGIC) {
    throw damaged(input, "lzop", "something that is not lzop follows the data");
  }
  const parts: Uint8Array[] = [];
  const field = async (size: number): Promise<number> => {
    const bytes = await readExactly(input, "lzop", size);
    parts.push(bytes);
    return bytes.reduce((value, byte) => value * 256 + byte, 0);
  };
  const version = await field(2);
  const isRecent = version >= VERSION_0940;
  await field(isRecent ? 4 : 2);
  const method = await field(1);
  if (isRecent) await field(1);
  const flags = await field(4);
  if (flags & IS_FILTERED) await field(4);
  await field(isRecent ? 12 : 8);
  await field(await field(1));
  const checksum = flags & HEADER_HAS_CRC32 ? crc32 : adler32;
  await expectChecksum(input, checksum(Buffer.concat(parts)));
  if (!LZO1X_METHODS.includes(method) || flags & IS_FILTERED) {
    throw beyondUs(input, "it is compressed in a way that is not read", "lzop -dc");
  }
  if (flags & HAS_EXTRA_FIELD) {
    const size = await field(4);
    if ((await input.skip(size + 4)) < size + 4)
      throw damaged(input, "lzop", "a header is invalid");
  }
  return flags;
}

async function expectChecksum(input: ByteStream, expected: number): Promise<void> {
  const stored = viewOf(await readExactly(input, "lzop", 4)).getUint32(0);
  if (stored !== expected) throw damaged(input, "lzop", "a header is invalid");
}
