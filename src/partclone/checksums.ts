import type { IHasher } from "hash-wasm";
import { CRC32_START, crc32Repeater, crc32Update } from "../bytes/crc32.ts";
import type { ChecksumName } from "./layouts.ts";
import { nativeXxh128, type RunningHash } from "./xxhash-library.ts";

/** A strip's checksum while its blocks come in. */
export interface Checksum {
  /** Starts anew, as at the image's first block. */
  reset(): void;
  /** Takes the next bytes of block data; any length, in order. */
  update(bytes: Uint8Array): void;
  /** Is `stored` the checksum of what came since the last reset? The checksum runs on. */
  matches(stored: Uint8Array): boolean;
  /**
   * Goes on from a stored value as if it were right, so that one damaged strip does not condemn
   * those after it. Only a CRC-32 can: its value is its whole state.
   */
  resume?(stored: Uint8Array): void;
}

/** The checksum of an image; `null` where it has none. */
export async function checksumOf(geometry: ChecksumKind): Promise<Checksum | null> {
  const { generation, littleEndian, blockSize, checksum } = geometry;
  if (checksum === "NONE") return null;
  return generation === 1 ? v1Checksum(blockSize) : await v2Checksum(checksum, littleEndian);
}

export interface ChecksumKind {
  readonly generation: 1 | 2;
  readonly littleEndian: boolean;
  readonly blockSize: number;
  readonly checksum: ChecksumName;
}

/**
 * The checksum of format 0002's `mode`, stored in the writer's byte order (PC2-CHECKSUM). XXH128,
 * which Clonezilla writes since 2026, is computed by the system's library if `mayUseLibrary`.
 */
export async function v2Checksum(
  mode: Exclude<ChecksumName, "NONE">,
  littleEndian: boolean,
  mayUseLibrary = true,
): Promise<Checksum> {
  if (mode === "CRC32") return crc32Checksum(littleEndian);
  const native = mode === "XXH128" && mayUseLibrary ? nativeXxh128() : null;
  if (native) return xxhChecksum(native, littleEndian);
  xxhHashers[mode] ??= loadXxh(mode);
  return xxhChecksum(inTurns(await xxhHashers[mode]), littleEndian);
}

/** A hasher that several checksums use in turns. */
interface SharedHasher {
  readonly hasher: IHasher;
  /** Has the one whose state is in the hasher save it. */
  makeWay(): void;
}

/** One of each kind: to instantiate its WASM costs milliseconds, more than to open an image. */
const xxhHashers: Partial<Record<ChecksumName, Promise<SharedHasher>>> = {};

/** Loaded when needed. */
async function loadXxh(mode: "XXH64" | "XXH128"): Promise<SharedHasher> {
  const { createXXHash64, createXXHash128 } = await import("hash-wasm");
  const hasher = await (mode === "XXH64" ? createXXHash64() : createXXHash128());
  return { hasher, makeWay() {} };
}

function crc32Checksum(littleEndian: boolean): Checksum {
  let state = CRC32_START;
  return {
    reset() {
      state = CRC32_START;
    },
    update(bytes) {
      state = crc32Update(state, bytes);
    },
    matches: (stored) => readU32(stored, littleEndian) === state,
    resume(stored) {
      state = readU32(stored, littleEndian);
    },
  };
}

/** A hash of one's own by a hasher that others use, too. */
function inTurns(shared: SharedHasher): RunningHash {
  let saved: Uint8Array | null = null;
  const save = () => {
    saved = shared.hasher.save();
  };
  const taken = () => {
    if (shared.makeWay !== save) {
      shared.makeWay();
      shared.makeWay = save;
      if (saved) shared.hasher.load(saved);
      else shared.hasher.init();
    }
    return shared.hasher;
  };
  return {
    reset() {
      taken().init();
    },
    update(bytes) {
      taken().update(bytes);
    },
    canonical() {
      const hasher = taken();
      // digest() ends a hasher of hash-wasm.
      const running = hasher.save();
      const canonical = hasher.digest("binary");
      hasher.load(running);
      return canonical;
    },
  };
}

/**
 * partclone stores the C value, which on a little-endian machine is the exact reverse of the
 * canonical digest, and on a big-endian one has its 64-bit halves exchanged. Without reseed the
 * checksum runs on after it.
 */
function xxhChecksum(hash: RunningHash, littleEndian: boolean): Checksum {
  return {
    reset: () => hash.reset(),
    update: (bytes) => hash.update(bytes),
    matches(stored) {
      const canonical = hash.canonical();
      const expected = littleEndian ? canonical.reverse() : exchangeHalves(canonical);
      return expected.every((byte, index) => byte === stored[index]);
    },
  };
}

function exchangeHalves(digest: Uint8Array): Uint8Array {
  if (digest.length === 8) return digest;
  const exchanged = new Uint8Array(digest.length);
  exchanged.set(digest.subarray(8), 0);
  exchanged.set(digest.subarray(0, 8), 8);
  return exchanged;
}

/**
 * Format 0001 feeds each block's FIRST byte block-size times, and never starts anew
 * (PC1-CHECKSUM). Of an 8-byte field only the first 4 bytes hold the value.
 */
export function v1Checksum(blockSize: number): Checksum {
  const feed = crc32Repeater(blockSize);
  let state = CRC32_START;
  let intoBlock = 0;
  return {
    reset() {
      state = CRC32_START;
      intoBlock = 0;
    },
    update(bytes) {
      for (let at = (blockSize - intoBlock) % blockSize; at < bytes.length; at += blockSize) {
        state = feed(state, bytes[at] ?? 0);
      }
      intoBlock = (intoBlock + bytes.length) % blockSize;
    },
    matches: (stored) => readU32(stored, true) === state,
    resume(stored) {
      state = readU32(stored, true);
    },
  };
}

function readU32(bytes: Uint8Array, littleEndian: boolean): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, littleEndian);
}
