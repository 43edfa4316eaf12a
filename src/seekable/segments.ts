import type { Segment } from "./codec.ts";
import { checkpointOf, type Entry, type Records } from "./index-file.ts";
import { errorOf, type Failure } from "./index-thread.ts";

/** The segments that are known so far; they become more while the data are indexed. */
export class Segments {
  readonly #fd: number;
  readonly #inSize: number;
  readonly #entries: Entry[];
  #outSize: number | null;
  #isProved: boolean;
  #failure: Failure | null = null;
  #changed = Promise.withResolvers<void>();

  /** `fd`: the index's file; `inSize`: bytes of the compressed data. */
  constructor(fd: number, inSize: number, { entries, outSize, isProved }: Records) {
    this.#fd = fd;
    this.#inSize = inSize;
    this.#entries = [...entries];
    this.#outSize = outSize;
    this.#isProved = isProved;
  }

  /** Uncompressed bytes; `null` until all is indexed. */
  get outSize(): number | null {
    return this.#outSize;
  }

  /** Was every byte proved by the compressed data's own checksums? */
  get isProved(): boolean {
    return this.#isProved;
  }

  get failure(): Failure | null {
    return this.#failure;
  }

  /** How much of the compressed data is indexed, 0 to 1. */
  get share(): number {
    if (this.#outSize !== null || this.#inSize === 0) return 1;
    return (this.#entries.at(-1)?.inOffset ?? 0) / this.#inSize;
  }

  add(entry: Entry): void {
    this.#entries.push(entry);
    this.#wake();
  }

  end(outSize: number, isProved: boolean): void {
    this.#outSize = outSize;
    this.#isProved = isProved;
    this.#wake();
  }

  fail(failure: Failure): void {
    this.#failure = failure;
    this.#wake();
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  /** Does the data's own checksum differ, so that nothing of them can be believed? */
  get isVoid(): boolean {
    return this.#failure?.voids === true;
  }

  /**
   * The number of the segment with byte `at`, once it is known; `null`: the data end before.
   * `onWait` is called again and again while it is not.
   */
  async find(at: number, onWait: () => void): Promise<number | null> {
    for (;;) {
      if (this.#outSize !== null && at >= this.#outSize) return null;
      if (at < this.#frontier()) return this.#indexAt(at);
      if (this.#failure) throw errorOf(this.#failure);
      onWait();
      await this.#changed.promise;
    }
  }

  /** Resolves when anything is known: that a segment begins, that there is none, or why not. */
  async begun(): Promise<void> {
    while (this.#entries.length === 0 && this.#outSize === null && !this.#failure) {
      await this.#changed.promise;
    }
  }

  /** Resolves when all is indexed; `onChange` is called whenever more is. Throws why it cannot be. */
  async ended(onChange: (share: number) => void): Promise<void> {
    while (this.#outSize === null) {
      if (this.#failure) throw errorOf(this.#failure);
      onChange(this.share);
      await this.#changed.promise;
    }
  }

  /** Is the segment of this number known? */
  has(index: number): boolean {
    return index + 1 < this.#entries.length + (this.#outSize === null ? 0 : 1);
  }

  /** Where the segment begins in the uncompressed data, and where it ends. */
  range(index: number): { readonly start: number; readonly end: number } {
    const end = this.#entries[index + 1]?.outOffset ?? this.#outSize ?? 0;
    return { start: this.#entries[index]?.outOffset ?? 0, end };
  }

  /** All that is needed to read it. Throws BadIndex. */
  segment(index: number): Segment {
    const entry = this.#entries[index];
    if (!entry) throw new RangeError(`there is no segment ${index}`);
    const next = this.#entries[index + 1];
    const inEnd = next ? next.inOffset + (next.inBit === 0 ? 0 : 1) : this.#inSize;
    const { start, end } = this.range(index);
    return { from: checkpointOf(this.#fd, entry), inEnd, length: end - start };
  }

  #frontier(): number {
    return this.#outSize ?? this.#entries.at(-1)?.outOffset ?? 0;
  }

  #indexAt(at: number): number {
    let low = 0;
    let high = this.#entries.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#entries[middle]?.outOffset ?? Infinity) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
