import type { ByteSource } from "../source/source.ts";

/** Reads are of this size where what is needed allows. */
const READ_SIZE = 1 << 20;

/** A source read in order, some bytes at a time, without copying them again and again. */
export class InputWindow {
  readonly source: ByteSource;
  /** Nothing is read at or behind this byte. */
  readonly end: number;
  /** One buffer for all: new ones cost as much as reading, as the system zeroes their pages. */
  #buffer = new Uint8Array();
  #length = 0;
  /** Byte offset in the source of the first byte in the buffer. */
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
    if (at + count <= this.#length) return this.#buffer.subarray(at, at + count);
    const kept = this.#buffer.subarray(Math.min(at, this.#length), this.#length);
    const left = Math.max(0, this.end - this.#position - kept.length);
    const more = Math.min(left, Math.max(READ_SIZE, count - kept.length));
    const length = kept.length + more;
    if (length <= this.#buffer.length) this.#buffer.set(kept);
    else {
      // With room for what is kept next time, if there is one.
      const larger = new Uint8Array(more < left ? length + count : length);
      larger.set(kept);
      this.#buffer = larger;
    }
    this.#start = this.#position;
    this.#length = kept.length;
    await this.source.read(this.#buffer.subarray(kept.length, length), this.#start + kept.length);
    this.#length = length;
    return this.#buffer.subarray(0, Math.min(count, length));
  }

  skip(count: number): void {
    this.#position += count;
  }
}
