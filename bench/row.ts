import { setImmediate } from "node:timers/promises";
import type { Lab } from "./lab.ts";

/** What a row's result must be. */
export interface Bar {
  readonly kind: "at least" | "at most";
  readonly value: number;
  /** `x`: a ratio. */
  readonly unit: "x" | "ms" | "MB" | "MB/s" | "%";
}

/** What the figures of a row's subjects are. */
export type Quantity = "bytes per second" | "reads per second" | "seconds" | "bytes";

/** Measures one subject once. */
export type Subject = (lab: Lab) => number | Promise<number>;

/** One line of the table: subjects measured in turn, round after round, and what they come to. */
export interface Row {
  readonly id: string;
  readonly title: string;
  readonly bar: Bar;
  readonly quantity: Quantity;
  readonly subjects: Readonly<Record<string, Subject>>;
  /** From the figures of one round; the row's result is the median over the rounds. */
  readonly result: (figure: (subject: string) => number) => number;
  /** As text: how `result` comes from the figures. */
  readonly formula: string;
  /** More than the usual number where the scheduler makes figures jump. */
  readonly rounds?: number;
  readonly needsRoot?: true;
}

export interface Measured {
  readonly id: string;
  readonly title: string;
  readonly bar: Bar;
  readonly quantity: Quantity;
  readonly formula: string;
  /** Each subject's figures, round by round. */
  readonly figures: Readonly<Record<string, readonly number[]>>;
  readonly results: readonly number[];
  /** Their median. */
  readonly result: number;
  readonly met: boolean;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

const isMet = ({ kind, value }: Bar, result: number): boolean =>
  kind === "at least" ? result >= value : result <= value;

/** How many times better than the bar; below 1 it is missed. */
export function score({ bar, result }: Measured): number {
  return bar.kind === "at least" ? result / bar.value : bar.value / Math.max(result, 1e-9);
}

/** Measures a row; the first round only warms up, and makes what is needed. */
export async function measure(lab: Lab, row: Row, usualRounds: number): Promise<Measured> {
  const rounds = Math.max(row.rounds ?? 0, usualRounds);
  const figures = Object.fromEntries(
    Object.keys(row.subjects).map((name) => [name, [] as number[]]),
  );
  const results: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const figuresNow: Record<string, number> = {};
    const order = Object.entries(row.subjects);
    // Nobody is always the one who runs after another.
    for (const [name, subject] of round % 2 === 0 ? order : order.toReversed()) {
      figuresNow[name] = await subject(lab);
      // Lets signals in.
      await setImmediate();
    }
    if (round === 0) continue;
    for (const [name, figure] of Object.entries(figuresNow)) figures[name]?.push(figure);
    results.push(row.result((name) => figuresNow[name] ?? Number.NaN));
  }
  const { id, title, bar, quantity, formula } = row;
  const result = median(results);
  return { id, title, bar, quantity, formula, figures, results, result, met: isMet(bar, result) };
}
