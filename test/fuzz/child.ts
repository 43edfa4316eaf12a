/** A program that goes through a range of cases, and says where it is; its parent watches it. */
import { writeSync } from "node:fs";
import { caseOf } from "./case.ts";
import { Dice } from "./dice.ts";
import { exercise } from "./exercise.ts";

export interface Range {
  readonly seed: number;
  readonly from: number;
  readonly count: number;
}

/** What the program says, a line of JSON each. */
export type Event =
  | { readonly type: "at"; readonly number: number }
  | { readonly type: "came"; readonly outcome: string }
  | { readonly type: "found"; readonly number: number; readonly what: string };

/** Garbage is not what a case needs: it is swept before it would look like that. */
const SWEEP_ABOVE = 200 * 2 ** 20;

const say = (event: Event) => writeSync(1, `${JSON.stringify(event)}\n`);

async function run({ seed, from, count }: Range): Promise<void> {
  for (let number = from; number < from + count; number++) {
    const { image, story } = caseOf(seed, number);
    if (process.memoryUsage.rss() > SWEEP_ABOVE) Bun.gc(true);
    say({ type: "at", number });
    try {
      say({ type: "came", outcome: await exercise(image, new Dice(seed + 1, number)) });
    } catch (error) {
      const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
      say({ type: "found", number, what: `${story}: ${what}` });
    }
  }
}

await run(JSON.parse(process.argv[2] ?? "{}"));
