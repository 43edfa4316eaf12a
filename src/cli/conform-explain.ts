import { readFormatRules, readSpecRules, type SpecRule } from "../conformance/spec-pages.ts";
import { UsageError } from "./command.ts";

/** The rules that images are judged by, one line each. */
export function listText(): string {
  const rules = readFormatRules();
  const width = Math.max(...rules.map(({ id }) => id.length));
  const lines = rules.map(
    ({ id, title, fields }) =>
      `${id.padEnd(width)}  ${(fields.get("level") ?? "").padEnd(6)}  ${title}`,
  );
  return `${lines.join("\n")}\n`;
}

/** A rule's page, as spec/ has it. */
export function explainText(id: string): string {
  const { page, line, title, fields, statement } = ruleNamed(id);
  const list = [...fields].map(([name, value]) => `- ${name}: ${value}`);
  return [
    `${id}: ${title}`,
    "",
    statement,
    "",
    ...list,
    `- page: spec/${page}, line ${line}`,
    "",
  ].join("\n");
}

export function ruleNamed(id: string, rules = readSpecRules()): SpecRule {
  const found = rules.find((rule) => rule.id === id);
  if (found) return found;
  const meant = id.toUpperCase();
  const nearest =
    rules.find((rule) => rule.id === meant) ?? rules.find((rule) => rule.id.includes(meant));
  const hint = nearest ? `; did you mean ${nearest.id}?` : "; 'vconform list' lists them";
  throw new UsageError(`there is no rule '${id}'${hint}`);
}
