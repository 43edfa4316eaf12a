import type { ArgDef, ArgsDef } from "citty";

export interface HelpTopic {
  readonly name: string;
  readonly description: string;
  /** What the manual says besides. */
  readonly about: string;
  readonly args: ArgsDef;
  /** Exit statuses, and what each means. */
  readonly statuses: readonly (readonly [status: number, meaning: string])[];
  /** Options that may be given several times. */
  readonly repeatable?: readonly string[];
  /** The last positional may be given several times. */
  readonly variadic?: boolean;
  /** Options that are commands of their own: nothing else goes with them. */
  readonly alone?: readonly string[];
  /** Commands worth trying, each with what it does. */
  readonly examples: readonly { readonly command: string; readonly does: string }[];
}

const INDENT = "  ";
/** Columns of the narrowest terminal that is usual. */
const WIDTH = 80;

/** One option as help and manual show it. */
export function optionSyntax(name: string, definition: ArgDef): string {
  const [short] = ["alias" in definition ? (definition.alias ?? []) : []].flat();
  const value = definition.valueHint ? ` ${definition.valueHint}` : "";
  return `${short ? `-${short}, ` : "    "}--${name}${value}`;
}

/** What `--help` prints. */
export function helpText(topic: HelpTopic): string {
  const { description, args, examples } = topic;
  const entries = Object.entries(args);
  const positionals = entries.filter(([, { type }]) => type === "positional");
  const options = entries.filter(([, { type }]) => type !== "positional");
  return [
    ...broken(`${description}.`, WIDTH),
    "",
    usageLine(topic),
    "",
    ...columns(positionals.map(([positional, arg]) => [positional, arg.description ?? ""])),
    "",
    "options:",
    ...columns(options.map(([option, arg]) => [optionSyntax(option, arg), arg.description ?? ""])),
    "",
    "examples:",
    ...columns(examples.map(({ command, does }) => [command, does])),
  ].join("\n");
}

/** `usage: vpartclone [options] IMAGE` */
export function usageLine({ name, args, variadic }: HelpTopic): string {
  const positionals = Object.keys(args).filter((arg) => args[arg]?.type === "positional");
  return `usage: ${[name, "[options]", ...positionals].join(" ")}${variadic ? "..." : ""}`;
}

/** The second column is broken between words, so that it stays one on any terminal. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([first]) => first.length));
  const room = WIDTH - width - 2 * INDENT.length;
  return rows.flatMap(([first, second]) =>
    broken(second, room).map(
      (part, line) => `${INDENT}${(line === 0 ? first : "").padEnd(width)}${INDENT}${part}`,
    ),
  );
}

function broken(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1) ?? ""} ${word}`;
    if (lines.length > 0 && longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}
