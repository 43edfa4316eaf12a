import { viewOf } from "../source/codecs/exact.ts";

/** XXH3 of a segment's decoded bytes: each that is read must have the hash it had in the pass. */
export function segmentHash(bytes: Uint8Array): Uint8Array {
  const hash = new Uint8Array(8);
  viewOf(hash).setBigUint64(0, Bun.hash.xxHash3(bytes), true);
  return hash;
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

/** The parts as one, which is the first where it is alone. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  return only && parts.length === 1 ? only : Buffer.concat(parts);
}
