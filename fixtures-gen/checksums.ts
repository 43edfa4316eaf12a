import { crc32 } from "node:zlib";
import { createXXHash64, createXXHash128, type IHasher } from "hash-wasm";
import type { ByteOrder, ChecksumMode } from "./fixture.ts";

/** A checksum that runs over blocks; `bytes` is what the image stores for the blocks so far. */
export interface Checksum {
  readonly size: number;
  reset(): void;
  update(block: Uint8Array): void;
  bytes(): Uint8Array;
}

// Created once: hash-wasm can only create asynchronously, and fixtures are built synchronously.
// One fixture is built at a time, so all may share these two.
const xxh64 = await createXXHash64();
const xxh128 = await createXXHash128();

/** partclone's CRC32 leaves out the final inversion of the usual one (PC2-HEADER-CRC). */
export function partcloneCrc32(data: Uint8Array): number {
  return ~crc32(data) >>> 0;
}

export function encodeCrc32(value: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, order === "little");
  return bytes;
}

const none: Checksum = {
  size: 0,
  reset() {},
  update() {},
  bytes: () => new Uint8Array(0),
};

function runningCrc32(order: ByteOrder): Checksum {
  let inverted = 0;
  return {
    size: 4,
    reset() {
      inverted = 0;
    },
    update(block) {
      inverted = crc32(block, inverted);
    },
    bytes: () => encodeCrc32(~inverted >>> 0, order),
  };
}

/**
 * Version 0001 feeds the block's first byte, block-size times, and never starts anew
 * (PC1-CHECKSUM): a bug of the first writers that became the format.
 */
export function firstByteCrc32(): Checksum {
  const crc = runningCrc32("little");
  return {
    ...crc,
    update: (block) => crc.update(new Uint8Array(block.length).fill(block[0] ?? 0)),
  };
}

/** Digests without ending the run: hash-wasm's digest destroys the state. */
function digestSoFar(hasher: IHasher): Uint8Array {
  const state = hasher.save();
  const digest = hasher.digest("binary");
  hasher.load(state);
  return digest;
}

/** `toStored` turns the canonical (big-endian) digest into the writer's struct. */
function runningXxh(
  hasher: IHasher,
  size: number,
  toStored: (canonical: Uint8Array) => Uint8Array,
): Checksum {
  return {
    size,
    reset() {
      hasher.init();
    },
    update(block) {
      hasher.update(block);
    },
    bytes: () => toStored(digestSoFar(hasher)),
  };
}

/** The writer's struct is { low64, high64 }, each in its byte order (PC2-CHECKSUM). */
function storedXxh128(canonical: Uint8Array, order: ByteOrder): Uint8Array {
  if (order === "little") return canonical.toReversed();
  return Uint8Array.from([...canonical.subarray(8), ...canonical.subarray(0, 8)]);
}

/** A fresh checksum; do not interleave two of them. */
export function createChecksum(mode: ChecksumMode, order: ByteOrder): Checksum {
  switch (mode) {
    case "none":
      return none;
    case "crc32":
      return runningCrc32(order);
    case "xxh64":
      return runningXxh(xxh64, 8, (digest) => (order === "little" ? digest.toReversed() : digest));
    case "xxh128":
      return runningXxh(xxh128, 16, (digest) => storedXxh128(digest, order));
  }
}
