import { viewOf } from "../bytes/view.ts";

/** A segment has a hash for each so many bytes, so that its beginning can be proved by itself. */
export const HASHED_PIECE = 2 ** 18;
const HASH_SIZE = 8;

/** XXH3 of a segment's decoded bytes: each that is read must have the hash it had in the pass. */
export function segmentHash(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(Math.ceil(bytes.length / HASHED_PIECE) * HASH_SIZE);
  for (let at = 0; at < bytes.length; at += HASHED_PIECE) {
    const piece = Bun.hash.xxHash3(bytes.subarray(at, at + HASHED_PIECE));
    viewOf(hash).setBigUint64((at / HASHED_PIECE) * HASH_SIZE, piece, true);
  }
  return hash;
}

/** Do these whole pieces begin what has this hash? */
export function isBeginning(pieces: Uint8Array, hash: Uint8Array): boolean {
  const own = segmentHash(pieces);
  return isSameHash(own, hash.subarray(0, own.length));
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The parts as one, which is the first where it is alone. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return only && parts.length === 1 ? only : Buffer.concat(parts);
}
