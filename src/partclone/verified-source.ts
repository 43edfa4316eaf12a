import { ImageBackupError } from "../bytes/errors.ts";
import type { ByteSource } from "../source/source.ts";
import { type Checksum, checksumOf } from "./checksums.ts";
import type { Geometry } from "./description.ts";

/** Bytes of a strip read at once: Clonezilla's strips have 10 MiB, others may be larger. */
const CHUNK = 2 ** 18;

/** Two bits a strip, in memory that threads share: each strip is proved once for all of them. */
const GOOD = 1;
const BAD = 2;
const STRIPS_IN_WORD = 16;
/** One for each block of 16 TiB takes 1 GiB. Nobody knows how many a compressed file has room for. */
const MOST_STRIPS = 2 ** 32;

export type StripStates = Int32Array;

/** How strips are proved, as plain data over shared memory. */
export interface Proofs {
  readonly states: StripStates;
  /** Not any more when the source says that all its bytes were proved. */
  readonly trustsProved: boolean;
}

/** Of the strips that a file of `fileSize` bytes has room for: a header can claim any number. */
export function stripStates(geometry: Geometry, fileSize: number): StripStates {
  const { usedBlocks, blocksPerChecksum, dataStart } = geometry;
  const room = Math.max(0, Math.ceil((fileSize - dataStart) / strideOf(geometry)));
  const strips = Math.min(Math.ceil(usedBlocks / blocksPerChecksum), room);
  if (strips > MOST_STRIPS) {
    const text = `${strips} checksums are too many for memory: more than ${MOST_STRIPS} are not supported`;
    throw new ImageBackupError("UNSUPPORTED", text);
  }
  return new Int32Array(new SharedArrayBuffer(Math.ceil(strips / STRIPS_IN_WORD) * 4));
}

/** Bytes from a strip's first block to the next one's. */
const strideOf = ({ blocksPerChecksum, blockSize, checksumSize }: Geometry) =>
  blocksPerChecksum * blockSize + checksumSize;

/** Why an image's strips cannot be proved one by one; `null` if they can. */
export function unverifiable({ checksum, reseed }: Geometry): string | null {
  if (checksum === "NONE") return "it has no checksums";
  // A CRC-32's value is its whole state, so each strip goes on from the value stored before it.
  if (reseed || checksum === "CRC32") return null;
  return `its ${checksum} checksums run on from the first block (no reseed), so proving any of them means reading all before it; check the whole image once with -c instead`;
}

/** An image file that proves the checksum of each strip it is read from, the first time. */
export class VerifiedSource implements ByteSource {
  readonly name: string;
  readonly #source: ByteSource;
  readonly #geometry: Geometry;
  readonly #states: StripStates;
  readonly #trustsProved: boolean;
  /** What is being proved, by the strips' numbers: none waits for another's bytes. */
  readonly #proofs = new Map<number, Promise<void>>();
  /** Each proof takes one, as it has a state. */
  readonly #idle: Checksum[] = [];

  /** `proofs`: which strips were proved already. */
  constructor(source: ByteSource, geometry: Geometry, proofs: Proofs) {
    this.name = source.name;
    this.#source = source;
    this.#geometry = geometry;
    this.#states = proofs.states;
    this.#trustsProved = proofs.trustsProved;
  }

  get size(): number {
    return this.#source.size;
  }

  async read(into: Uint8Array, at: number): Promise<void> {
    await this.#require(at, into.length);
    await this.#source.read(into, at);
  }

  async readPieces(pieces: readonly Uint8Array[], at: number): Promise<void> {
    await this.#require(
      at,
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    await this.#source.readPieces(pieces, at);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#source[Symbol.asyncDispose]();
  }

  /** Proves the strips that hold these bytes of the image, as far as the file has them. */
  async #require(at: number, length: number): Promise<void> {
    if (this.#trustsProved && this.#source.isProved?.()) return;
    const { dataStart } = this.#geometry;
    const stride = strideOf(this.#geometry);
    const end = Math.min(at + length, this.size);
    const last = Math.floor((end - 1 - dataStart) / stride);
    for (let strip = Math.floor((at - dataStart) / stride); strip <= last; strip++) {
      if (this.#state(strip) === 0) await this.#prove(strip, dataStart + strip * stride);
      // One thread may find bad what another found good: bad for all.
      if ((this.#state(strip) & BAD) !== 0) throw this.#bad(strip, dataStart + strip * stride);
    }
  }

  #state(strip: number): number {
    const word = Atomics.load(this.#states, Math.floor(strip / STRIPS_IN_WORD));
    return (word >>> ((strip % STRIPS_IN_WORD) * 2)) & 3;
  }

  #prove(strip: number, imageOffset: number): Promise<void> {
    const known = this.#proofs.get(strip);
    if (known) return known;
    const proof = this.#judge(strip, imageOffset).finally(() => this.#proofs.delete(strip));
    this.#proofs.set(strip, proof);
    return proof;
  }

  async #judge(strip: number, imageOffset: number): Promise<void> {
    const checksum = this.#idle.pop() ?? (await checksumOf(this.#geometry));
    if (!checksum) throw new Error("what has no checksums cannot be proved");
    try {
      const state = (await this.#isRight(checksum, strip, imageOffset)) ? GOOD : BAD;
      const shift = (strip % STRIPS_IN_WORD) * 2;
      Atomics.or(this.#states, Math.floor(strip / STRIPS_IN_WORD), state << shift);
    } finally {
      this.#idle.push(checksum);
    }
  }

  async #isRight(checksum: Checksum, strip: number, imageOffset: number): Promise<boolean> {
    const { blockSize, blocksPerChecksum, usedBlocks, checksumSize, reseed } = this.#geometry;
    const stored = new Uint8Array(checksumSize);
    const blocks = Math.min(blocksPerChecksum, usedBlocks - strip * blocksPerChecksum);
    const end = imageOffset + blocks * blockSize;
    // A strip that is cut off cannot be proved: not worth reading what there is of it.
    await this.#source.read(stored, end);
    checksum.reset();
    if (!reseed && strip > 0) {
      const before = new Uint8Array(checksumSize);
      await this.#source.read(before, imageOffset - checksumSize);
      checksum.resume?.(before);
    }
    const chunk = new Uint8Array(Math.min(CHUNK, end - imageOffset));
    for (let at = imageOffset; at < end; at += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, end - at));
      await this.#source.read(part, at);
      checksum.update(part);
    }
    return checksum.matches(stored);
  }

  #bad(strip: number, imageOffset: number): ImageBackupError {
    const { reseed } = this.#geometry;
    const doubt = reseed ? "" : ", or the one stored before it is damaged";
    return new ImageBackupError(
      "BAD_CHECKSUM",
      `the checksum of strip ${strip} (from byte ${imageOffset} of the image) differs${doubt}`,
      { imageOffset },
    );
  }
}
