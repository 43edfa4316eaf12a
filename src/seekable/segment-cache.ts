import { collector } from "./collect.ts";

/** Decoded bytes that are kept, and those that are on their way. */
const BUDGET = 24 * 2 ** 20;
/** Segments decoded at once: each takes its size, its input and its window besides. */
const MOST_RUNNING = 2;

interface Kept {
  readonly content: Promise<Uint8Array>;
  /** Bytes of the content; of one on its way, that were asked for. */
  length: number;
}

type Decode = (index: number, needed: number) => Promise<Uint8Array>;

/** The segments that were read last, decoded; each is decoded once however many wait for it. */
export class SegmentCache {
  readonly #decode: Decode;
  /** The one that was used last stands last. */
  readonly #kept = new Map<number, Kept>();
  readonly #collect = collector();
  #bytes = 0;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(decode: Decode) {
    this.#decode = decode;
  }

  /** Bytes of the segment of this number that are here, or on their way. */
  lengthOf(index: number): number {
    return this.#kept.get(index)?.length ?? 0;
  }

  /** The first `needed` bytes of the segment of this number, or more of them. */
  get(index: number, needed: number): Promise<Uint8Array> {
    const known = this.#kept.get(index);
    const isEnough = known !== undefined && known.length >= needed;
    if (known) this.#forget(index, known);
    const kept = isEnough ? known : this.#begin(index, needed);
    this.#kept.set(index, kept);
    this.#bytes += kept.length;
    this.#makeRoom();
    return kept.content;
  }

  /** Decodes the whole of a segment that is read next; not where the one before had to go for it. */
  prefetch(index: number, length: number): void {
    const before = this.#kept.get(index - 1)?.length ?? 0;
    if (before + length > BUDGET) return;
    // Who reads it learns what is wrong.
    this.get(index, length).catch(() => {});
  }

  #begin(index: number, length: number): Kept {
    const kept = { content: this.#inTurn(() => this.#decode(index, length)), length };
    const ifKept = (change: () => void) => {
      if (this.#kept.get(index) === kept) change();
    };
    const decoded = (content: Uint8Array) => {
      this.#collect(content.length);
      ifKept(() => {
        this.#bytes += content.length - kept.length;
        kept.length = content.length;
        this.#makeRoom();
      });
    };
    // What failed may go well next time: a disk that was away.
    kept.content.then(decoded, () => ifKept(() => this.#forget(index, kept)));
    return kept;
  }

  /** All but the last may go: that one is about to be read. */
  #makeRoom(): void {
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= BUDGET || this.#kept.size === 1) break;
      this.#forget(oldest, kept);
    }
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
