import { grouped } from "../bytes/sizes.ts";
import type { Report } from "../conformance/conform.ts";
import {
  type Broken,
  type Failure,
  isMust,
  type RuleVerdict,
  readers,
} from "../conformance/verdict.ts";

/** What came of one image: a report, or one line on why there is none. */
export type Outcome =
  | { readonly image: string; readonly report: Report }
  | { readonly image: string; readonly unreadable: string };

/** Writes outcomes in one form, as they come. */
export interface Reporter {
  begin(images: number): string;
  /** `number` counts from 1. */
  image(outcome: Outcome, number: number): string;
  end(): string;
}

/** A rule's verdict in one word: a SHOULD rule that fails only warns. */
export type Word = "pass" | "fail" | "warn" | "not applicable" | "not judged";

export function wordOf({ rule, verdict }: RuleVerdict): Word {
  return verdict.status === "fail" && !isMust(rule) ? "warn" : verdict.status;
}

export function countsOf(verdicts: readonly RuleVerdict[]): Readonly<Record<Word, number>> {
  const counts = { pass: 0, fail: 0, warn: 0, "not applicable": 0, "not judged": 0 };
  for (const each of verdicts) counts[wordOf(each)]++;
  return counts;
}

/** Where a rule is broken: a line for each place, and how many more there are. */
export function placeLines({ failures, total }: Broken): string[] {
  const lines = failures.map((failure) => `${placeOf(failure)}: ${failure.found}`);
  const more = total - failures.length;
  return more > 0 ? [...lines, `and in ${grouped(more)} more places`] : lines;
}

function placeOf({ imageOffset, deviceOffset }: Failure): string {
  return imageOffset === undefined
    ? `at byte ${grouped(deviceOffset ?? 0)} of the partition`
    : `at byte ${grouped(imageOffset)}`;
}

/** What a rule's being broken means for whoever reads the image. */
export function readersOf({ failures: [first] }: Broken): string {
  return readers[first?.reading ?? "unaffected"];
}

export function judgeOf({ rule }: RuleVerdict): string {
  return rule.fields.get("judge") ?? "";
}
