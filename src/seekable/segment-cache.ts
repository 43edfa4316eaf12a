import { free } from "../bytes/free.ts";
import { collector } from "./collect.ts";

/** Decoded bytes that are kept, and those that are on their way. */
const BUDGET = 24 * 2 ** 20;
/** Segments decoded at once: each takes its size, its input and its window besides. */
const MOST_RUNNING = 2;

/** Decoded bytes; void once it is disposed of, which whoever has it must do. */
export interface Held extends Disposable {
  readonly content: Uint8Array;
}

interface Kept {
  readonly content: Promise<Uint8Array>;
  /** Bytes of the content; of one on its way, that were asked for. */
  length: number;
  /** Who wait for it, or read it: at least one until it is decoded. */
  holders: number;
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

  /** What `decode` gives is the cache's own. */
  constructor(decode: Decode) {
    this.#decode = decode;
  }

  /** Bytes of the segment of this number that are here, or on their way. */
  lengthOf(index: number): number {
    return this.#kept.get(index)?.length ?? 0;
  }

  /** The first `needed` bytes of the segment of this number, or more of them. */
  async get(index: number, needed: number): Promise<Held> {
    const known = this.#kept.get(index);
    const isEnough = known !== undefined && known.length >= needed;
    const kept = isEnough ? known : this.#begin(index, needed);
    kept.holders++;
    if (known) this.#forget(index, known);
    this.#kept.set(index, kept);
    this.#bytes += kept.length;
    this.#makeRoom();
    const letGo = () => {
      kept.holders--;
      if (this.#kept.get(index) !== kept) freeUnheld(kept);
    };
    try {
      return { content: await kept.content, [Symbol.dispose]: letGo };
    } catch (error) {
      letGo();
      throw error;
    }
  }

  /** Decodes the whole of a segment that is read next; not where the one before had to go for it. */
  async prefetch(index: number, length: number): Promise<void> {
    const before = this.#kept.get(index - 1)?.length ?? 0;
    if (before + length > BUDGET) return;
    try {
      using _held = await this.get(index, length);
    } catch {
      // Who reads it learns what is wrong.
    }
  }

  #begin(index: number, length: number): Kept {
    const content = this.#inTurn(() => this.#decode(index, length));
    const kept = { content, length, holders: 0 };
    const ifKept = (change: () => void) => {
      if (this.#kept.get(index) === kept) change();
    };
    const decoded = ({ length }: Uint8Array) => {
      this.#collect(length);
      ifKept(() => {
        this.#bytes += length - kept.length;
        kept.length = length;
        this.#makeRoom();
      });
    };
    // What failed may go well next time: a disk that was away.
    content.then(decoded, () => ifKept(() => this.#forget(index, kept)));
    return kept;
  }

  /** All but the last may go: that one is about to be read. */
  #makeRoom(): void {
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= BUDGET || this.#kept.size === 1) break;
      this.#forget(oldest, kept);
    }
  }

  #forget(index: number, kept: Kept): void {
    this.#kept.delete(index);
    this.#bytes -= kept.length;
    freeUnheld(kept);
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

/** Of one that is kept no longer. */
function freeUnheld({ content, holders }: Kept): void {
  // What failed is told to those who waited for it.
  if (holders === 0) content.then(free, () => {});
}
