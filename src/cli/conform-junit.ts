import { printable } from "../bytes/printable.ts";
import type { Broken, RuleVerdict } from "../conformance/verdict.ts";
import {
  countsOf,
  judgeOf,
  type Outcome,
  placeLines,
  type Reporter,
  readersOf,
  wordOf,
} from "./conform-report.ts";

/**
 * JUnit XML: an image is a suite, a rule a case. JUnit knows no warning, so a SHOULD rule that
 * fails is a skipped case that says so: it must not turn a build red.
 */
export const junitReporter: Reporter = {
  begin: () => '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="vconform">\n',
  image: (outcome) => `${suiteLines(outcome).join("\n")}\n`,
  end: () => "</testsuites>\n",
};

function suiteLines(outcome: Outcome): string[] {
  const name = attribute("name", outcome.image);
  if ("unreadable" in outcome) {
    return [
      `  <testsuite ${name} tests="1" failures="0" errors="1" skipped="0">`,
      `    <testcase ${attribute("classname", outcome.image)} name="is an image">`,
      `      <error ${attribute("message", outcome.unreadable)}/>`,
      "    </testcase>",
      "  </testsuite>",
    ];
  }
  const { verdicts, format } = outcome.report;
  const { pass, fail } = countsOf(verdicts);
  const tests = verdicts.length;
  const counts = `tests="${tests}" failures="${fail}" errors="0" skipped="${tests - pass - fail}"`;
  return [
    `  <testsuite ${name} ${counts}>`,
    ...verdicts.flatMap((each) => caseLines(each, format)),
    "  </testsuite>",
  ];
}

function caseLines(each: RuleVerdict, format: string): string[] {
  const { rule, verdict } = each;
  const title = attribute("name", `${rule.id}: ${rule.title}`);
  const open = `    <testcase ${attribute("classname", format)} ${title}`;
  if (verdict.status === "pass") return [`${open}/>`];
  const body =
    verdict.status === "fail"
      ? failureLines(each, verdict)
      : [`      <skipped ${attribute("message", `${verdict.status}: ${verdict.reason}`)}/>`];
  return [`${open}>`, ...body, "    </testcase>"];
}

function failureLines(each: RuleVerdict, broken: Broken): string[] {
  const level = each.rule.fields.get("level") ?? "";
  const consequence = `${readersOf(broken)}; real tools: ${judgeOf(each)}`;
  const text = [...placeLines(broken), consequence].map(escaped).join("\n");
  const message = attribute("message", `${level}: ${broken.failures[0]?.found ?? ""}`);
  if (wordOf(each) === "warn") {
    return [`      <skipped ${message}/>`, `      <system-out>${text}</system-out>`];
  }
  return [`      <failure ${attribute("type", level)} ${message}>${text}</failure>`];
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** XML has no place for control characters, halves of surrogate pairs, FFFE and FFFF. */
function escaped(text: string): string {
  return printable(text.toWellFormed())
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function attribute(name: string, value: string): string {
  return `${name}="${escaped(value)}"`;
}
