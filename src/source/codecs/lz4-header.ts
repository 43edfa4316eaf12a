import type { IHasher } from "hash-wasm";
import { viewOf } from "../../bytes/view.ts";
import type { ByteStream } from "../source.ts";
import { beyondUs, damaged } from "./damaged.ts";
import { readExactly } from "./exact.ts";

/** What a frame's descriptor says (LZ4 Frame Format 1.6.4). */
export interface Lz4Header {
  readonly maxBlockSize: number;
  /** No block copies from the ones before it. */
  readonly isIndependent: boolean;
  readonly hasBlockChecksums: boolean;
  readonly hasContentChecksum: boolean;
  readonly contentSize: bigint | null;
}

const MAGIC_SIZE = 4;

/** Bits of FLG, the descriptor's first byte. */
const HAS_DICTIONARY = 0x01;
const HAS_CONTENT_CHECKSUM = 0x04;
const HAS_CONTENT_SIZE = 0x08;
const HAS_BLOCK_CHECKSUMS = 0x10;
const IS_INDEPENDENT = 0x20;

/** By bits 4 to 6 of BD, the descriptor's second byte. */
const blockSizes: Readonly<Record<number, number>> = {
  4: 64 * 2 ** 10,
  5: 256 * 2 ** 10,
  6: 2 ** 20,
  7: 4 * 2 ** 20,
};

export async function readLz4Header(input: ByteStream, hasher: IHasher): Promise<Lz4Header> {
  const fixed = (await readExactly(input, "lz4", MAGIC_SIZE + 2)).subarray(MAGIC_SIZE);
  const [flags = 0, block = 0] = fixed;
  const hasContentSize = (flags & HAS_CONTENT_SIZE) !== 0;
  const sizeBytes = await readExactly(input, "lz4", hasContentSize ? 8 : 0);
  if ((flags & HAS_DICTIONARY) !== 0) {
    throw beyondUs(input, "decompressing it needs a dictionary", "lz4 -dc -D DICTIONARY");
  }
  const [checksum] = await readExactly(input, "lz4", 1);
  const hash = hasher.init().update(fixed).update(sizeBytes).digest("binary");
  const maxBlockSize = blockSizes[(block >> 4) & 7];
  if (flags >> 6 !== 1 || maxBlockSize === undefined || checksum !== hash.at(-2)) {
    throw damaged(input, "lz4", "a frame's header is invalid");
  }
  return {
    maxBlockSize,
    isIndependent: (flags & IS_INDEPENDENT) !== 0,
    hasBlockChecksums: (flags & HAS_BLOCK_CHECKSUMS) !== 0,
    hasContentChecksum: (flags & HAS_CONTENT_CHECKSUM) !== 0,
    contentSize: hasContentSize ? viewOf(sizeBytes).getBigUint64(0, true) : null,
  };
}
