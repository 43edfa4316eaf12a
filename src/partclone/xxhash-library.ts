/** XXH128 by the system's own libxxhash: several times as fast as WebAssembly. */
import { type Pointer, ptr } from "bun:ffi";
import { openLibrary } from "../bytes/c-library.ts";
import { ImageBackupError } from "../bytes/errors.ts";

/** A hash while its bytes come in. */
export interface RunningHash {
  reset(): void;
  update(bytes: Uint8Array): void;
  /** The digest of all since the last reset as libraries print it: big-endian; the hash runs on. */
  canonical(): Uint8Array;
}

const XXHASH = ["libxxhash.so.0"];
const LIBFFI = ["libffi.so.8", "libffi.so.7"];

const openXxhash = () =>
  openLibrary(XXHASH, {
    XXH3_createState: { args: [], returns: "ptr" },
    XXH3_freeState: { args: ["ptr"], returns: "i32" },
    XXH3_128bits_reset: { args: ["ptr"], returns: "i32" },
    XXH3_128bits_update: { args: ["ptr", "ptr", "u64"], returns: "i32" },
    XXH3_128bits_digest: { args: ["ptr"], returns: "u64" },
  });

const openLibffi = () =>
  openLibrary(LIBFFI, {
    ffi_prep_cif: { args: ["ptr", "i32", "u32", "ptr", "ptr"], returns: "i32" },
    ffi_call: { args: ["ptr", "ptr", "ptr", "ptr"], returns: "void" },
  });

/** FFI_DEFAULT_ABI of ffitarget.h: FFI_UNIX64, FFI_SYSV. */
const DEFAULT_ABI: Readonly<Record<string, number>> = { x64: 2, arm64: 1 };

/** Where in an array of 64-bit words the structures are that libffi wants: see `digestBy`. */
const AT = {
  word: 0,
  pointer: 3,
  hash: 6,
  members: 9,
  parameters: 12,
  state: 13,
  values: 14,
  cif: 15,
};
/** Room for ffi_cif, which no machine makes longer than half of it. */
const WORDS = AT.cif + 16;

/** struct ffi_type: its size, and its alignment and kind (FFI_TYPE_...) in the next word. */
const ffiType = (size: bigint, kind: bigint) => [size, size + (kind << 16n)];

type Digest = (state: Pointer, into: Uint8Array) => void;

/**
 * `XXH3_128bits_digest` returns its 128 bits in two registers, of which `bun:ffi` knows the first;
 * libffi writes both to memory.
 */
function digestBy(digest: Pointer): Digest | null {
  const libffi = openLibffi();
  const abi = DEFAULT_ABI[process.arch];
  if (!libffi || abi === undefined) return null;
  // An array without a buffer of its own may be moved.
  const memory = new BigUint64Array(new ArrayBuffer(WORDS * 8));
  const address = (word: number) => ptr(memory, word * memory.BYTES_PER_ELEMENT);
  const pointersTo = (...words: readonly number[]) => words.map((word) => BigInt(address(word)));
  memory.set(ffiType(8n, 11n), AT.word);
  memory.set(ffiType(8n, 14n), AT.pointer);
  // Of a structure libffi finds the size by itself, from its members up to a null.
  memory.set([...ffiType(0n, 13n), ...pointersTo(AT.members)], AT.hash);
  memory.set(pointersTo(AT.word, AT.word), AT.members);
  memory.set(pointersTo(AT.pointer), AT.parameters);
  memory.set(pointersTo(AT.state), AT.values);
  const [cif, values] = [address(AT.cif), address(AT.values)];
  if (libffi.ffi_prep_cif(cif, abi, 1, address(AT.hash), address(AT.parameters)) !== 0) return null;
  return (state, into) => {
    memory[AT.state] = BigInt(state);
    libffi.ffi_call(cif, digest, into, values);
  };
}

/** XXH128 of no bytes. */
const OF_NOTHING = "99aa06d3014798d86001c324468d497f";

/** Hashes by libxxhash; `null` where it, or libffi, is not installed or does not do as it should. */
export function nativeXxh128(): RunningHash | null {
  library = library === undefined ? load() : library;
  return library?.() ?? null;
}

let library: (() => RunningHash) | null | undefined;

function load(): (() => RunningHash) | null {
  const xxhash = openXxhash();
  const { ptr: address } = (xxhash?.XXH3_128bits_digest ?? {}) as { readonly ptr?: Pointer };
  const digest = address ? digestBy(address) : null;
  if (!xxhash || !digest) return null;
  const states = new FinalizationRegistry<Pointer>((state) => xxhash.XXH3_freeState(state));
  const create = (): RunningHash => {
    const state = xxhash.XXH3_createState() as Pointer | null;
    if (state === null) throw new ImageBackupError("SYSTEM", "out of memory");
    const hash: RunningHash = {
      reset() {
        xxhash.XXH3_128bits_reset(state);
      },
      update(bytes) {
        if (bytes.length > 0) xxhash.XXH3_128bits_update(state, bytes, bytes.length);
      },
      canonical() {
        const value = new Uint8Array(16);
        digest(state, value);
        return value.reverse();
      },
    };
    hash.reset();
    states.register(hash, state);
    return hash;
  };
  return Buffer.from(create().canonical()).toString("hex") === OF_NOTHING ? create : null;
}
