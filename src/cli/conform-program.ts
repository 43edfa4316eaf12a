import { ImageBackupError } from "../bytes/errors.ts";
import { type ConformOptions, conform, MAX_FINDINGS } from "../conformance/conform.ts";
import { readFormatRules } from "../conformance/spec-pages.ts";
import { openInput } from "../source/input.ts";
import { FAILED, type Given, UsageError } from "./command.ts";
import { explainText, listText, ruleNamed } from "./conform-explain.ts";
import { jsonReporter } from "./conform-json.ts";
import { junitReporter } from "./conform-junit.ts";
import type { Outcome, Reporter } from "./conform-report.ts";
import { tapReporter } from "./conform-tap.ts";
import { textReporter } from "./conform-text.ts";
import { messagesOf } from "./messages.ts";

/** An image could not be judged at all. */
const UNREADABLE = 3;

const reporters = { json: jsonReporter, junit: junitReporter, tap: tapReporter } as const;

/** Does what the command line says, and sets the exit status. */
export async function runConform({ values, positionals }: Given): Promise<void> {
  const [verb = "", ...operands] = positionals;
  if (verb === "list") {
    if (operands[0] !== undefined) throw new UsageError(`'${operands[0]}' is too much for list`);
    return print(listText());
  }
  if (verb === "explain") {
    if (operands.length === 0) throw new UsageError("explain takes the ID of a rule");
    return print(operands.map(explainText).join("\n"));
  }
  const reporter = reporterOf(values);
  const options = optionsOf(values);
  print(reporter.begin(positionals.length));
  const messages = messagesOf("vconform");
  let status = 0;
  for (const [index, path] of positionals.entries()) {
    const outcome = await judge(path, options);
    print(reporter.image(outcome, index + 1));
    if ("unreadable" in outcome) messages.error(outcome.unreadable);
    status = Math.max(status, statusOf(outcome));
  }
  print(reporter.end());
  process.exitCode = status;
}

function print(text: string): void {
  process.stdout.write(text);
}

function reporterOf(values: Given["values"]): Reporter {
  const names = Object.keys(reporters) as (keyof typeof reporters)[];
  const [name, second] = names.filter((each) => values[each]);
  if (second !== undefined) throw new UsageError(`--${name} and --${second} exclude each other`);
  return name === undefined ? textReporter : reporters[name];
}

function optionsOf(values: Given["values"]): ConformOptions {
  const rules = [values.rule ?? []].flat().map(String);
  const imageRules = readFormatRules();
  for (const id of rules) ruleNamed(id, imageRules);
  const text = String(values["max-findings"] ?? MAX_FINDINGS);
  const maxFindings = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(maxFindings)) {
    throw new UsageError(`--max-findings takes a number from 1 on, not '${text}'`);
  }
  return { rules, maxFindings, quick: values.quick === true };
}

async function judge(path: string, options: ConformOptions): Promise<Outcome> {
  try {
    await using input = await openInput(path);
    const { stream, source, isSeekable } = input;
    return { image: path, report: await conform(stream, isSeekable ? source : null, options) };
  } catch (error) {
    if (error instanceof ImageBackupError) return { image: path, unreadable: error.message };
    throw error;
  }
}

function statusOf(outcome: Outcome): number {
  if ("unreadable" in outcome) return UNREADABLE;
  return outcome.report.conforms ? 0 : FAILED;
}
