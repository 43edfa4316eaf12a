import { printable } from "../bytes/printable.ts";
import { type Report, titleOf } from "../conformance/conform.ts";
import type { RuleVerdict } from "../conformance/verdict.ts";
import {
  countsOf,
  judgeOf,
  placeLines,
  type Reporter,
  readersOf,
  type Word,
  wordOf,
} from "./conform-report.ts";

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
    const width = Math.max(...report.verdicts.map(({ rule }) => rule.id.length));
    const lines = report.verdicts.flatMap((each) => ruleLines(each, width));
    const all = [`${report.image}: ${titleOf(report)}`, ...lines, summaryOf(report)];
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
  return [
    `${head}  ${rule.fields.get("level")}: ${rule.title}`,
    ...placeLines(verdict).map((line) => `${indent}${line}`),
    `${indent}${readersOf(verdict)}; real tools: ${judgeOf(each)}`,
  ];
}

function summaryOf({ image, verdicts, conforms }: Report): string {
  if (verdicts.every(({ verdict }) => verdict.status === "not applicable")) {
    return `${image}: NOT JUDGED: none of the rules is about it`;
  }
  const { pass, fail, warn, ...rest } = countsOf(verdicts);
  const counts = [
    `${pass} rules hold`,
    `${fail} MUST and ${warn} SHOULD rules fail`,
    `${rest["not applicable"]} do not apply`,
    `${rest["not judged"]} could not be judged`,
  ];
  return `${image}: ${conforms ? "conforms" : "DOES NOT CONFORM"} (${counts.join(", ")})`;
}
