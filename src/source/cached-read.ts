import { FFIType, ptr } from "bun:ffi";
import { openCLibrary } from "../bytes/c-library.ts";

/** preadv2's flag: give what is in the page cache, and wait for nothing. */
const RWF_NOWAIT = 8;
/** IOV_MAX. */
const MOST_PIECES = 1024;
const HIGH_WORD = 2 ** 32;

const open = () =>
  openCLibrary({
    preadv2: { args: ["i32", "ptr", "i32", FFIType.i64_fast, "i32"], returns: FFIType.i64_fast },
  }).preadv2;

let opened: ReturnType<typeof open> | null | undefined;

/** musl has the call since 1.2.5. */
function preadv2(): ReturnType<typeof open> | null {
  if (opened !== undefined) return opened;
  try {
    opened = open();
  } catch {
    opened = null;
  }
  return opened;
}

/** struct iovec: address and length, 64 bits each, here as halves: a BigInt is an object. */
const vector = new Uint32Array(MOST_PIECES * 4);

/**
 * Fills the pieces from byte `at` of the file if all of that is in the page cache: as fast as a usual
 * read. False: it has to be waited for, or the file system (FUSE, NFS) does not tell.
 */
export function readCached(fd: number, pieces: readonly Uint8Array[], at: number): boolean {
  const call = preadv2();
  if (call === null || pieces.length > MOST_PIECES) return false;
  let length = 0;
  let word = 0;
  for (const piece of pieces) {
    const address = ptr(piece);
    vector[word] = address % HIGH_WORD;
    vector[word + 1] = address / HIGH_WORD;
    vector[word + 2] = piece.length;
    word += 4;
    length += piece.length;
  }
  return Number(call(fd, ptr(vector), pieces.length, at, RWF_NOWAIT)) === length;
}
