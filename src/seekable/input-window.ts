import type { ByteSource } from "../source/source.ts";

/** Reads are of this size where what is needed allows. */
const READ_SIZE = 1 << 20;

/** A source read in order, some bytes at a time, without copying them again and again. */
export class InputWindow {
  readonly source: ByteSource;
  /** Nothing is read at or behind this byte. */
  readonly end: number;
  #bytes = new Uint8Array();
  /** Byte offset in the source of the first of `#bytes`. */
  #start: number;
  #position: number;

  constructor(source: ByteSource, position: number, end = source.size) {
    this.source = source;
    this.end = Math.min(end, source.size);
    this.#start = position;
    this.#position = position;
  }

  /** Byte offset in the source of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** The next bytes without moving on, fewer only at the end; valid until the next call. */
  async peek(count: number): Promise<Uint8Array> {
    const at = this.#position - this.#start;
    if (at + count <= this.#bytes.length) return this.#bytes.subarray(at, at + count);
    const kept = this.#bytes.subarray(Math.min(at, this.#bytes.length));
    const left = Math.max(0, this.end - this.#position - kept.length);
    const more = Math.min(left, Math.max(READ_SIZE, count - kept.length));
    const bytes = new Uint8Array(kept.length + more);
    bytes.set(kept);
    await this.source.read(bytes.subarray(kept.length), this.#position + kept.length);
    this.#bytes = bytes;
    this.#start = this.#position;
    return bytes.subarray(0, count);
  }

  skip(count: number): void {
    this.#position += count;
  }
}
