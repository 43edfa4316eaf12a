import { readSpecRules, type SpecRule } from "../conformance/spec-pages.ts";
import { UsageError } from "./command.ts";

/** All rules, one line each. */
export function listText(): string {
  const rules = readSpecRules();
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

export function ruleNamed(id: string): SpecRule {
  const rules = readSpecRules();
  const found = rules.find((rule) => rule.id === id);
  if (found) return found;
  const [nearest] = rules.filter((rule) => rule.id.includes(id.toUpperCase()));
  const hint = nearest ? `; did you mean ${nearest.id}?` : "; 'vconform list' lists them";
  throw new UsageError(`there is no rule '${id}'${hint}`);
}
