import { mix } from "../../fixtures-gen/random.ts";

/** Random choices that depend on the seed and the case's number only, so that any can be replayed. */
export class Dice {
  readonly #seed: number;
  #thrown = 0;

  constructor(seed: number, number: number) {
    this.#seed = mix(mix(seed, Math.floor(number / 2 ** 32)), number);
  }

  /** From 0 to 2^32 - 1. */
  word(): number {
    return mix(this.#seed, this.#thrown++);
  }

  /** From 0 to `count` - 1; 0 where there is nothing to choose from. */
  below(count: number): number {
    if (count <= 1) return 0;
    return (this.word() * 2 ** 21 + (this.word() >>> 11)) % count;
  }

  between(from: number, to: number): number {
    return from + this.below(to - from + 1);
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.below(choices.length)];
    if (choice === undefined) throw new RangeError("nothing to choose from");
    return choice;
  }

  /** True once in `count` times. */
  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }

  bytes(length: number): Uint8Array {
    const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => this.word());
    return new Uint8Array(words.buffer, 0, length);
  }
}
