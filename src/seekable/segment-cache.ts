import { collector } from "./collect.ts";

/** Decoded bytes that are kept, and those that are on their way. */
const BUDGET = 32 * 2 ** 20;
/** Segments decoded at once: each takes its size, its input and its window besides. */
const MOST_RUNNING = 2;

interface Kept {
  readonly content: Promise<Uint8Array>;
  /** The content has no fewer bytes. */
  readonly length: number;
}

type Decode = (index: number, needed: number) => Promise<Uint8Array>;

/** The segments that were read last, decoded; each is decoded once however many wait for it. */
export class SegmentCache {
  readonly #decode: Decode;
  /** The one that was used last stands last. */
  readonly #kept = new Map<number, Kept>();
  readonly #collect = collector(true);
  #bytes = 0;
  #running = 0;
  readonly #queue: (() => void)[] = [];

  constructor(decode: Decode) {
    this.#decode = decode;
  }

  /** The first `needed` bytes of the segment of this number, or more of them. */
  get(index: number, needed: number): Promise<Uint8Array> {
    const known = this.#kept.get(index);
    const isEnough = known !== undefined && known.length >= needed;
    if (known && !isEnough) this.#forget(index, known);
    const kept = isEnough ? known : this.#begin(index, needed);
    this.#kept.delete(index);
    this.#kept.set(index, kept);
    return kept.content;
  }

  #begin(index: number, length: number): Kept {
    const content = this.#inTurn(async () => {
      const decoded = await this.#decode(index, length);
      this.#collect(decoded.length);
      return decoded;
    });
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
