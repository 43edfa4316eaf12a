/** Bits of `bytes` from `position`, the most significant of each byte first; zeros after the end. */
export class BitReader {
  readonly #bytes: Uint8Array;
  /** In bits. */
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  get isPastEnd(): boolean {
    return this.position > this.#bytes.length * 8;
  }

  /** The next `count` bits without moving on; at most 24. */
  peek(count: number): number {
    const bytes = this.#bytes;
    const at = this.position >>> 3;
    const word =
      at + 4 <= bytes.length
        ? ((bytes[at] as number) << 24) |
          ((bytes[at + 1] as number) << 16) |
          ((bytes[at + 2] as number) << 8) |
          (bytes[at + 3] as number)
        : this.#lastWord(at);
    return (word << (this.position & 7)) >>> (32 - count);
  }

  read(count: number): number {
    const bits = this.peek(count);
    this.position += count;
    return bits;
  }

  #lastWord(at: number): number {
    let word = 0;
    for (let index = at; index < at + 4; index++) word = (word << 8) | (this.#bytes[index] ?? 0);
    return word;
  }
}
