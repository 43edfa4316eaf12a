import type { LibraryDecoder } from "./library.ts";
import { decodeFrames, isDecoderError } from "./native.ts";
import { encoded, type Part } from "./parts.ts";
import type { PlannedSegment } from "./segment.ts";

/**
 * Room besides twice the size that is expected, where blocks may have any. What does not fit is
 * decoded by the runtime.
 */
const SPARE = 2 ** 20;

/**
 * Decodes what was planned, segment after segment. By the system's library where it is: into the
 * same memory in turns, since to get new memory for each segment takes a sixth of the pass.
 */
export class SegmentDecoder implements Disposable {
  readonly #library: LibraryDecoder | null;
  /** Of the segment that is decoded, and of the one before it, whose end is the window. */
  readonly #memory: [Uint8Array, Uint8Array] = [new Uint8Array(), new Uint8Array()];
  #plan: PlannedSegment | null = null;
  #used = 0;
  #dictionary = new Uint8Array();

  /** `library`: `null` for the runtime's decoder. */
  constructor(library: LibraryDecoder | null) {
    this.#library = library;
  }

  /** `window`: the bytes before the segment. The output is valid until the next but one segment. */
  async decode(plan: PlannedSegment, part: Part, window: Uint8Array | null): Promise<Uint8Array> {
    const dictionary =
      part.needsDictionary && window ? this.#joined(plan.dictionary, window) : undefined;
    const output = this.#library?.decode(encoded(part, null), this.#room(plan), dictionary);
    if (!output) return decodeByRuntime(plan, part, dictionary);
    this.#used += output.length;
    return output;
  }

  [Symbol.dispose](): void {
    this.#library?.[Symbol.dispose]();
  }

  #joined(tables: Uint8Array, window: Uint8Array): Uint8Array {
    const size = tables.length + window.length;
    if (this.#dictionary.length < size) this.#dictionary = new Uint8Array(size);
    this.#dictionary.set(tables);
    this.#dictionary.set(window, tables.length);
    return this.#dictionary.subarray(0, size);
  }

  #room(plan: PlannedSegment): Uint8Array {
    if (plan !== this.#plan) {
      this.#plan = plan;
      this.#used = 0;
      this.#memory.reverse();
      const { isExpected, expected, limit } = plan;
      const size = Math.min(limit, isExpected ? expected : 2 * expected + SPARE);
      if (this.#memory[0].length < size) this.#memory[0] = new Uint8Array(size);
    }
    return this.#memory[0].subarray(this.#used);
  }
}

/** Tries the size that is expected, with which decoding is faster. */
async function decodeByRuntime(
  { parts, isExpected, expected, limit }: PlannedSegment,
  part: Part,
  dictionary: Uint8Array | undefined,
): Promise<Uint8Array> {
  if (part.needsDictionary && parts.length === 1 && isExpected) {
    try {
      return await decodeFrames(encoded(part, expected), expected, expected, dictionary);
    } catch (error) {
      if (!isDecoderError(error)) throw error;
    }
  }
  return decodeFrames(encoded(part, null), expected, limit, dictionary);
}
