import { FFIType, ptr } from "bun:ffi";
import { openCLibrary } from "../bytes/c-library.ts";

/** preadv2's flag: give what is in the page cache, and wait for nothing. */
const RWF_NOWAIT = 8;
/** IOV_MAX. */
const MOST_PIECES = 1024;
const HIGH_WORD = 2 ** 32;

const open = () =>
  openCLibrary({
    preadv2: {
      args: ["i32", "ptr", "i32", FFIType.i64_fast, "i32"],
      returns: FFIType.i64_fast,
    },
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
const vectorAddress = ptr(vector);

function addPiece(index: number, piece: Uint8Array): void {
  const address = ptr(piece);
  vector[index * 4] = address % HIGH_WORD;
  vector[index * 4 + 1] = address / HIGH_WORD;
  vector[index * 4 + 2] = piece.length;
}

function isAllRead(fd: number, pieceCount: number, at: number, length: number): boolean {
  const call = preadv2();
  return call !== null && Number(call(fd, vectorAddress, pieceCount, at, RWF_NOWAIT)) === length;
}

/**
 * Fills `into` from byte `at` of the file if all of that is in the page cache, as fast as a usual
 * read. False: it has to be waited for, or the file system (FUSE, NFS) does not tell.
 */
export function readCached(fd: number, into: Uint8Array, at: number): boolean {
  addPiece(0, into);
  return isAllRead(fd, 1, at, into.length);
}

/** The same with pieces, one after the other. */
export function readCachedPieces(fd: number, pieces: readonly Uint8Array[], at: number): boolean {
  if (pieces.length > MOST_PIECES) return false;
  let length = 0;
  for (const [index, piece] of pieces.entries()) {
    addPiece(index, piece);
    length += piece.length;
  }
  return isAllRead(fd, pieces.length, at, length);
}
