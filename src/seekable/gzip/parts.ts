import type { Part } from "./state.ts";

interface Begun {
  /** Where the member's header is; `null`: the member began before the segment. */
  readonly headerAt: number | null;
  readonly dataAt: number;
  /** Decoded bytes of the segment before it. */
  readonly outAt: number;
}

/** Collects what a segment is made of: the rest of a member, whole members, the beginning of one. */
export class Parts {
  readonly list: Part[] = [];
  #begun: Begun = { headerAt: null, dataAt: 0, outAt: 0 };

  begin(headerAt: number | null, dataAt: number, outAt: number): void {
    this.#begun = { headerAt, dataAt, outAt };
  }

  /** The member ends, with its trailer, before byte `to`. */
  end(to: number, outEnd: number): void {
    const { headerAt, dataAt, outAt } = this.#begun;
    const last = this.list.at(-1);
    const length = outEnd - outAt;
    if (headerAt === null) {
      this.list.push({ isWhole: false, from: dataAt, to, length });
    } else if (last?.isWhole && last.to === headerAt) {
      this.list.splice(-1, 1, { ...last, to, length: last.length + length });
    } else this.list.push({ isWhole: true, from: headerAt, to, length });
  }

  /** The segment ends before byte `to`, and the member goes on. */
  interrupt(to: number, outEnd: number): void {
    const { dataAt, outAt } = this.#begun;
    this.list.push({ isWhole: false, from: dataAt, to, length: outEnd - outAt });
  }
}
