import { free } from "../bytes/free.ts";

/** Bytes that are added to one after the other. */
export class ByteList {
  #buffer: Uint8Array<ArrayBuffer>;
  #length = 0;

  /** `room`: bytes that it has at first. */
  constructor(room = 64 * 1024) {
    this.#buffer = new Uint8Array(room);
  }

  get length(): number {
    return this.#length;
  }

  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(length, this.#buffer.length * 2));
      larger.set(this.#buffer.subarray(0, this.#length));
      free(this.#buffer);
      this.#buffer = larger;
    }
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
  }

  /** What was added, until more is. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
