/** Decoded bytes that are kept, and those that are on their way. */
const BUDGET = 64 * 2 ** 20;
/** Segments decoded at once: each takes its size, its input and its window besides. */
const MOST_RUNNING = 3;

interface Kept {
  readonly content: Promise<Uint8Array>;
  readonly length: number;
}

/** The segments that were read last, decoded; each is decoded once however many wait for it. */
export class SegmentCache {
  readonly #decode: (index: number) => Promise<Uint8Array>;
  /** The one that was used last stands last. */
  readonly #kept = new Map<number, Kept>();
  #bytes = 0;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(decode: (index: number) => Promise<Uint8Array>) {
    this.#decode = decode;
  }

  /** The segment of this number, which has `length` bytes. */
  get(index: number, length: number): Promise<Uint8Array> {
    const kept = this.#kept.get(index) ?? this.#begin(index, length);
    this.#kept.delete(index);
    this.#kept.set(index, kept);
    return kept.content;
  }

  #begin(index: number, length: number): Kept {
    const content = this.#inTurn(() => this.#decode(index));
    const kept = { content, length };
    this.#bytes += length;
    // What failed may go well next time: a disk that was away.
    content.catch(() => {
      if (this.#kept.get(index) === kept) this.#forget(index, kept);
    });
    for (const [oldest, other] of this.#kept) {
      if (this.#bytes <= BUDGET) break;
      this.#forget(oldest, other);
    }
    return kept;
  }

  #forget(index: number, { length }: Kept): void {
    this.#kept.delete(index);
    this.#bytes -= length;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_RUNNING) {
      await new Promise<void>((resolve) => this.#queue.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
