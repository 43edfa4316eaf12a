import { viewOf } from "../bytes/view.ts";
import { ByteList } from "./byte-list.ts";

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

/** The hash of a segment whose bytes come one after the other and are not kept. */
export class SegmentHasher {
  readonly #piece = new Uint8Array(HASHED_PIECE);
  #used = 0;
  /** Of the whole pieces before it. */
  readonly #hashes = new ByteList();
  #length = 0;

  /** Bytes that were added. */
  get length(): number {
    return this.#length;
  }

  get hash(): Uint8Array {
    return Buffer.concat([this.#hashes.bytes, segmentHash(this.#piece.subarray(0, this.#used))]);
  }

  add(bytes: Uint8Array): void {
    this.#length += bytes.length;
    for (let rest = bytes; rest.length > 0; ) {
      const part = rest.subarray(0, HASHED_PIECE - this.#used);
      this.#piece.set(part, this.#used);
      this.#used += part.length;
      rest = rest.subarray(part.length);
      if (this.#used < HASHED_PIECE) break;
      this.#hashes.add(segmentHash(this.#piece));
      this.#used = 0;
    }
  }

  /** Begins another segment. */
  clear(): void {
    this.#hashes.clear();
    this.#used = 0;
    this.#length = 0;
  }
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
