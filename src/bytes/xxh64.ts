import { ptr } from "bun:ffi";
import { openLibrary } from "./c-library.ts";
import { viewOf } from "./view.ts";

/** XXH64 of bytes that come piece by piece, whose state can be kept and gone on from. */
export interface Xxh64 {
  /** Goes on from what `save` gave, or from XXH64_START. */
  load(state: Uint8Array): void;
  update(bytes: Uint8Array): void;
  /** The state, the same whichever of the two computes it. Only `load` may follow it. */
  save(): Uint8Array;
  /** The digest as libraries print it: big-endian. Only `load` may follow it. */
  canonical(): Uint8Array;
}

/** By the system's own libxxhash, several times as fast; else by WebAssembly. One for each thread. */
export function xxh64(): Promise<Xxh64> {
  only ??= Promise.resolve(nativeXxh64() ?? wasmXxh64());
  return only;
}

let only: Promise<Xxh64> | null = null;

/** A state: four sums, the bytes of a stripe that is not yet whole, and how many there were in all. */
const SUMS = 32;
const STRIPE = 32;
const STATE_SIZE = SUMS + STRIPE + 8;

/** Of no bytes: the sums are of the algorithm's first two primes (xxhash_spec.md). */
const PRIMES = [0x9e3779b185ebca87n, 0xc2b2ae3d27d4eb4fn] as const;
export const XXH64_START = stateOf(
  new Uint8Array(BigUint64Array.of(PRIMES[0] + PRIMES[1], PRIMES[1], 0n, -PRIMES[0]).buffer),
  new Uint8Array(STRIPE),
  0n,
);

function stateOf(sums: Uint8Array, stripe: Uint8Array, total: bigint): Uint8Array {
  const state = new Uint8Array(STATE_SIZE);
  state.set(sums);
  // What is behind them is left from before.
  state.set(stripe.subarray(0, Number(total % BigInt(STRIPE))), SUMS);
  viewOf(state).setBigUint64(SUMS + STRIPE, total, true);
  return state;
}

const partsOf = (state: Uint8Array) => ({
  sumsAndStripe: state.subarray(0, SUMS + STRIPE),
  total: viewOf(state).getBigUint64(SUMS + STRIPE, true),
});

/** `XXH64_state_t` of libxxhash 0.6 to 0.8: all bytes, sums, stripe, bytes of the stripe. */
const NATIVE_SIZE = 128;
const NATIVE_SUMS = 8;
const NATIVE_STRIPE = NATIVE_SUMS + SUMS;
const NATIVE_COUNT = NATIVE_STRIPE + STRIPE;

/** `null` where the library is not installed, or keeps its state otherwise. */
export function nativeXxh64(): Xxh64 | null {
  const library = openLibrary(["libxxhash.so.0"], {
    XXH64_update: { args: ["ptr", "ptr", "u64"], returns: "i32" },
    XXH64_digest: { args: ["ptr"], returns: "u64" },
  });
  if (!library) return null;
  // An array without a buffer of its own may be moved.
  const memory = new Uint8Array(new ArrayBuffer(NATIVE_SIZE));
  const view = viewOf(memory);
  const state = ptr(memory);
  const native: Xxh64 = {
    load(saved) {
      const { sumsAndStripe, total } = partsOf(saved);
      view.setBigUint64(0, total, true);
      memory.set(sumsAndStripe, NATIVE_SUMS);
      view.setUint32(NATIVE_COUNT, Number(total % BigInt(STRIPE)), true);
    },
    update(bytes) {
      if (bytes.length > 0) library.XXH64_update(state, bytes, bytes.length);
    },
    save() {
      const stripe = memory.subarray(NATIVE_STRIPE, NATIVE_COUNT);
      const total = view.getBigUint64(0, true);
      return stateOf(memory.subarray(NATIVE_SUMS, NATIVE_STRIPE), stripe, total);
    },
    canonical: () => bigEndian(library.XXH64_digest(state)),
  };
  return keepsStateSo(native) ? native : null;
}

function bigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  viewOf(bytes).setBigUint64(0, value, false);
  return bytes;
}

/** A text of 43 bytes, its XXH64, and what its last stripe has. */
const TEXT = Buffer.from("The quick brown fox jumps over the lazy dog");
const OF_TEXT = "0b242d361fda71bc";

function keepsStateSo(native: Xxh64): boolean {
  native.load(XXH64_START);
  native.update(TEXT);
  const saved = native.save();
  const isRest = TEXT.subarray(STRIPE).equals(saved.subarray(SUMS, SUMS + TEXT.length - STRIPE));
  native.load(saved);
  return isRest && Buffer.from(native.canonical()).toString("hex") === OF_TEXT;
}

/** A state of hash-wasm: the name of its kind, sums, stripe, bytes of the stripe, all bytes. */
const NAME_SIZE = 4;

export async function wasmXxh64(): Promise<Xxh64> {
  const { createXXHash64 } = await import("hash-wasm");
  const hasher = await createXXHash64();
  const name = hasher.init().save().slice(0, NAME_SIZE);
  return {
    load(saved) {
      const { sumsAndStripe, total } = partsOf(saved);
      const counts = BigUint64Array.of(total % BigInt(STRIPE), total);
      hasher.load(Buffer.concat([name, sumsAndStripe, new Uint8Array(counts.buffer)]));
    },
    update(bytes) {
      hasher.update(bytes);
    },
    save() {
      const state = hasher.save().subarray(NAME_SIZE);
      const total = viewOf(state).getBigUint64(SUMS + STRIPE + 8, true);
      return stateOf(state.subarray(0, SUMS), state.subarray(SUMS, SUMS + STRIPE), total);
    },
    canonical: () => hasher.digest("binary"),
  };
}
