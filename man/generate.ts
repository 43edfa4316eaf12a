// Writes the manual pages from the commands' option tables: bun run man
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import packageJson from "../package.json" with { type: "json" };
import { vconform } from "../src/cli/conform-options.ts";
import { vclonezilla } from "../src/cli/folder-options.ts";
import { type HelpTopic, optionSyntax } from "../src/cli/help.ts";
import { vntfsclone, vpartclone } from "../src/cli/options.ts";

export const topics: readonly HelpTopic[] = [vpartclone, vntfsclone, vclonezilla, vconform];

/** A manual page in man(7)'s macros. */
export function manualPage(topic: HelpTopic): string {
  const { name, description, about, args, statuses, examples, variadic, alone = [] } = topic;
  const entries = Object.entries(args);
  const positionals = entries.filter(([, { type }]) => type === "positional");
  const options = entries.filter(([, { type }]) => type !== "positional");
  return [
    `.TH ${name.toUpperCase()} 1 "" "vpartclone ${packageJson.version}" "User Commands"`,
    ".SH NAME",
    roff(`${name} - ${description[0]?.toLowerCase()}${description.slice(1)}`),
    ".SH SYNOPSIS",
    `.B ${name}`,
    "[options]",
    ...positionals.map(([positional]) => `.I ${positional}${variadic ? "..." : ""}`),
    ...alone.flatMap((option) => [
      ".br",
      `.B ${name}`,
      roff(optionSyntax(option, args[option] ?? {}).trim()),
    ]),
    ".SH DESCRIPTION",
    `${roff(description)}.`,
    roff(about),
    ...positionals.flatMap(([positional, arg]) => [
      ".TP",
      `.I ${positional}`,
      `${roff(arg.description ?? "")}.`,
    ]),
    ".SH OPTIONS",
    ...options.flatMap(([option, arg]) => [
      ".TP",
      `.B ${roff(optionSyntax(option, arg).trim())}`,
      `${roff(arg.description ?? "")}.`,
    ]),
    ".SH EXIT STATUS",
    ...statuses.flatMap(([status, meaning]) => [".TP", `.B ${status}`, `${roff(meaning)}.`]),
    ".SH EXAMPLES",
    ...examples.flatMap(({ command, does }) => [".TP", `.B ${roff(command)}`, `${roff(does)}.`]),
    "",
  ].join("\n");
}

function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replace(/^([.'])/, "\\&$1");
}

export function pagePath({ name }: HelpTopic): string {
  return join(import.meta.dirname, `${name}.1`);
}

if (import.meta.main) {
  for (const topic of topics) writeFileSync(pagePath(topic), manualPage(topic));
}
