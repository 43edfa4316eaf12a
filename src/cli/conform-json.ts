import { printableJson } from "../bytes/printable.ts";
import { type RuleVerdict, readers } from "../conformance/verdict.ts";
import { countsOf, type Outcome, type Reporter, wordOf } from "./conform-report.ts";

/** Counted up when a field changes its meaning or goes; docs/ci.md describes the fields. */
const SCHEMA = 1;

/** One object; its images come one by one, so that it is written as they are judged. */
export const jsonReporter: Reporter = {
  begin: () => `{"schema":${SCHEMA},"images":[`,
  image: (outcome, number) =>
    `${number > 1 ? "," : ""}\n${printableJson(JSON.stringify(imageObject(outcome)))}`,
  end: () => "\n]}\n",
};

function imageObject(outcome: Outcome) {
  if ("unreadable" in outcome) return { image: outcome.image, error: outcome.unreadable };
  const { image, format, fsType, conforms, verdicts } = outcome.report;
  const rules = verdicts.map(ruleObject);
  return { image, format, fileSystem: fsType, conforms, counts: countsOf(verdicts), rules };
}

function ruleObject(each: RuleVerdict) {
  const { rule, verdict } = each;
  const { id, title, fields } = rule;
  const about = { id, level: fields.get("level"), title, verdict: wordOf(each) };
  if (verdict.status === "pass") return about;
  if (verdict.status !== "fail") return { ...about, reason: verdict.reason };
  return {
    ...about,
    judge: fields.get("judge"),
    total: verdict.total,
    findings: verdict.failures.map(({ reading, ...failure }) => ({
      ...failure,
      reading,
      readers: readers[reading],
    })),
  };
}
