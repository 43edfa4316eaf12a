import { printable, printableJson } from "../bytes/printable.ts";
import type { RuleVerdict } from "../conformance/verdict.ts";
import {
  judgeOf,
  type Outcome,
  placeLines,
  type Reporter,
  readersOf,
  wordOf,
} from "./conform-report.ts";

/**
 * TAP: an image is a subtest, a rule a test; a SHOULD rule that fails is a TODO. Subtests came with
 * version 14, which Perl's prove refuses; to a reader of version 13 they are lines to pass over.
 */
export const tapReporter: Reporter = {
  begin: (images) => `TAP version 13\n1..${images}\n`,
  image: (outcome, number) => `${imageLines(outcome, number).join("\n")}\n`,
  end: () => "",
};

function imageLines(outcome: Outcome, number: number): string[] {
  const name = description(outcome.image);
  if ("unreadable" in outcome) {
    return [`not ok ${number} - ${name}`, ...yaml({ message: outcome.unreadable }, "  ")];
  }
  const { verdicts, conforms } = outcome.report;
  return [
    `# Subtest: ${name}`,
    `    1..${verdicts.length}`,
    ...verdicts.flatMap((each, index) => ruleLines(each, index + 1)).map((line) => `    ${line}`),
    `${conforms ? "ok" : "not ok"} ${number} - ${name}`,
  ];
}

function ruleLines(each: RuleVerdict, number: number): string[] {
  const { rule, verdict } = each;
  const name = `${number} - ${description(`${rule.id}: ${rule.title}`)}`;
  if (verdict.status === "pass") return [`ok ${name}`];
  if (verdict.status !== "fail") {
    return [`ok ${name} # SKIP ${description(`${verdict.status}: ${verdict.reason}`)}`];
  }
  const isWarning = wordOf(each) === "warn";
  const about = {
    severity: isWarning ? "comment" : "fail",
    total: verdict.total,
    found: placeLines(verdict),
    readers: readersOf(verdict),
    judge: judgeOf(each),
  };
  return [`not ok ${name}${isWarning ? " # TODO a SHOULD rule" : ""}`, ...yaml(about, "  ")];
}

/** A description ends at a `#`, and a line at its end: both are escaped. */
function description(text: string): string {
  return printable(text).replace(/[\\#]/g, "\\$&");
}

/** Every JSON value is a YAML value. */
function yaml(about: Readonly<Record<string, unknown>>, indent: string): string[] {
  const lines = Object.entries(about).map(
    ([key, value]) => `${key}: ${printableJson(JSON.stringify(value))}`,
  );
  return ["---", ...lines, "..."].map((line) => `${indent}${line}`);
}
