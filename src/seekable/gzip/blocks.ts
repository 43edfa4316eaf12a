import { beyondRandomAccess, corrupt } from "../damage.ts";
import type { InputWindow } from "../input-window.ts";
import { Malformed } from "../malformed.ts";
import { INPUT_MARGIN, Inflater, WINDOW_SIZE } from "./inflate.ts";
import { truncated } from "./member.ts";

/** What is handed to the decoder at once. */
const INPUT_SIZE = 1 << 18;
/** Decoded bytes of one segment: blocks are far smaller, but the format sets no limit. */
const MAX_OUTPUT = 2 ** 28;

/** Where a block begins, as in a Checkpoint. */
export interface BlockPlace {
  readonly inOffset: number;
  readonly inBit: number;
}

/** The first whole byte behind what ends at `place`. */
export function endOf({ inOffset, inBit }: BlockPlace): number {
  return inBit === 0 ? inOffset : inOffset + 1;
}

/** Decodes a file's deflate blocks one after the other, from wherever `input` is. */
export class Blocks {
  readonly #input: InputWindow;
  readonly inflater: Inflater;

  constructor(input: InputWindow, outputSize: number) {
    this.#input = input;
    this.inflater = new Inflater(new Uint8Array(WINDOW_SIZE + outputSize), WINDOW_SIZE);
  }

  /** Where the last block ended. */
  get place(): BlockPlace {
    const { position, bitCount } = this.inflater;
    const inBit = (8 - (bitCount & 7)) & 7;
    const next = this.#input.position + position - (bitCount >> 3);
    return { inOffset: inBit === 0 ? next : next - 1, inBit };
  }

  async begin(bit: number): Promise<void> {
    await this.#feed();
    this.inflater.begin(bit);
  }

  /** Decodes a block; tells whether it is the last of its member. */
  async next(): Promise<boolean> {
    for (;;) {
      const stop = this.#run();
      if (stop === "block-end") break;
      if (stop === "input") await this.#feed();
      else this.#enlarge();
    }
    if (this.place.inOffset > this.#input.end) throw truncated(this.#input);
    return this.inflater.isLastBlock;
  }

  /** Leaves the input where the member's last block ended. */
  leave(): void {
    this.inflater.align();
    this.#input.skip(this.inflater.position);
    this.inflater.position = 0;
    this.inflater.input = new Uint8Array();
  }

  #run() {
    try {
      return this.inflater.run();
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw corrupt(this.#input.source, "gzip", this.place.inOffset, error.message, {
        cause: error,
      });
    }
  }

  async #feed(): Promise<void> {
    const { inflater } = this;
    inflater.unread();
    this.#input.skip(inflater.position);
    if (this.#input.position > this.#input.end) throw truncated(this.#input);
    const bytes = await this.#input.peek(INPUT_SIZE);
    inflater.position = 0;
    inflater.input = bytes;
    if (bytes.length === INPUT_SIZE) return;
    // The decoder looks further than it needs: zeros follow the file's end.
    inflater.input = new Uint8Array(bytes.length + 2 * INPUT_MARGIN);
    inflater.input.set(bytes);
  }

  #enlarge(): void {
    const { inflater } = this;
    const { length } = inflater.output;
    if (length > MAX_OUTPUT) {
      throw beyondRandomAccess(this.#input.source, "gzip", "it has no place to begin reading at");
    }
    const larger = new Uint8Array(2 * length);
    larger.set(inflater.output.subarray(0, inflater.outPosition));
    inflater.output = larger;
  }
}
