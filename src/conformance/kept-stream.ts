import { ImageBackupError } from "../bytes/errors.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";

/** Enough for F2FS's checkpoints, and for exFAT's root directory behind most allocation tables. */
const KEPT = 8 * 2 ** 20;

/**
 * A stream that remembers the first 8 MiB that pass after `keep`, so that the file system's
 * beginning can be looked at although a pipe passes once.
 */
export class KeptStream implements ByteStream {
  readonly #stream: ByteStream;
  #kept = new Uint8Array(0);
  /** Byte offset in the image of the first byte kept; `null` before `keep`. */
  #start: number | null = null;
  #length = 0;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get name(): string {
    return this.#stream.name;
  }

  get size(): number | null {
    return this.#stream.size;
  }

  get position(): number {
    return this.#stream.position;
  }

  /** Starts to remember, at the next byte. */
  keep(): void {
    this.#start = this.position;
    this.#kept = new Uint8Array(KEPT);
  }

  /** Reads on until as much is remembered as can be. */
  async fill(): Promise<void> {
    const rest = new Uint8Array(this.#start === null ? 0 : KEPT - this.#length);
    await this.read(rest);
  }

  async read(into: Uint8Array): Promise<number> {
    const at = this.position;
    const got = await this.#stream.read(into);
    // What is skipped before the first read is a header; later it leaves a gap, and ends the rest.
    if (this.#start !== null && this.#length === 0) this.#start = at;
    if (this.#start !== null && at === this.#start + this.#length) {
      const part = into.subarray(0, Math.min(got, KEPT - this.#length));
      this.#kept.set(part, this.#length);
      this.#length += part.length;
    }
    return got;
  }

  peek(into: Uint8Array): Promise<number> {
    return this.#stream.peek(into);
  }

  skip(count: number): Promise<number> {
    return this.#stream.skip(count);
  }

  /** What is remembered, at its place in the image; everything else cannot be read. */
  source(): ByteSource {
    const { name } = this;
    const read = async (into: Uint8Array, at: number) => {
      const from = at - (this.#start ?? Infinity);
      if (from < 0 || from + into.length > this.#length) {
        throw new ImageBackupError(
          "SHORT_READ",
          "this place has passed by: the image is read once, in order",
        );
      }
      into.set(this.#kept.subarray(from, from + into.length));
    };
    return {
      name,
      size: Infinity,
      read,
      async readPieces(pieces, at) {
        let from = at;
        for (const piece of pieces) {
          await read(piece, from);
          from += piece.length;
        }
      },
      async [Symbol.asyncDispose]() {},
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
  }
}
