import { printable } from "../bytes/printable.ts";
import { grouped } from "../bytes/sizes.ts";
import type { Report } from "../conformance/conform.ts";
import { type Failure, type RuleVerdict, readers } from "../conformance/verdict.ts";
import { countsOf, type Reporter, type Word, wordOf } from "./conform-report.ts";

const labels: Readonly<Record<Word, string>> = {
  pass: "pass",
  fail: "FAIL",
  warn: "warn",
  "not applicable": "n/a ",
  "not judged": "----",
};

/** For people: one line a rule, and below a broken one what was found, and what follows from it. */
export const textReporter: Reporter = {
  begin: () => "",
  image(outcome, number) {
    // Said on standard error.
    if ("unreadable" in outcome) return "";
    const gap = number > 1 ? "\n" : "";
    const { report } = outcome;
    const title = [report.format, report.fsType].filter(Boolean).join(", ");
    const width = Math.max(...report.verdicts.map(({ rule }) => rule.id.length));
    const lines = report.verdicts.flatMap((each) => ruleLines(each, width));
    const all = [`${report.image}: ${title}`, ...lines, summaryOf(report)];
    return `${gap}${all.map(printable).join("\n")}\n`;
  },
  end: () => "",
};

function ruleLines(each: RuleVerdict, width: number): string[] {
  const { rule, verdict } = each;
  const head = `  ${labels[wordOf(each)]}  ${rule.id.padEnd(width)}`;
  if (verdict.status === "pass") return [`${head}  ${rule.title}`];
  if (verdict.status !== "fail") return [`${head}  ${verdict.status}: ${verdict.reason}`];
  const indent = " ".repeat(8);
  const more = verdict.total - verdict.failures.length;
  const reading = verdict.failures[0]?.reading ?? "unaffected";
  return [
    `${head}  ${rule.fields.get("level")}: ${rule.title}`,
    ...verdict.failures.map((failure) => `${indent}${placeOf(failure)}: ${failure.found}`),
    ...(more > 0 ? [`${indent}and in ${grouped(more)} more places`] : []),
    `${indent}${readers[reading]}; real tools: ${rule.fields.get("judge")}`,
  ];
}

export function placeOf({ imageOffset, deviceOffset }: Failure): string {
  return imageOffset === undefined
    ? `at byte ${grouped(deviceOffset ?? 0)} of the partition`
    : `at byte ${grouped(imageOffset)}`;
}

function summaryOf({ image, verdicts, conforms }: Report): string {
  if (verdicts.length === 0) return `${image}: NOT JUDGED: none of the rules is about it`;
  const { pass, fail, warn, ...rest } = countsOf(verdicts);
  const counts = [
    `${pass} rules hold`,
    `${fail} MUST and ${warn} SHOULD rules fail`,
    `${rest["not applicable"]} do not apply`,
    `${rest["not judged"]} could not be judged`,
  ];
  return `${image}: ${conforms ? "conforms" : "DOES NOT CONFORM"} (${counts.join(", ")})`;
}
