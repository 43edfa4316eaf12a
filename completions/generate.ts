// Writes the completions of bash, zsh and fish from the commands' option tables: bun run completions
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ArgDef } from "citty";
import { topics } from "../man/generate.ts";
import type { HelpTopic } from "../src/cli/help.ts";

interface Option {
  readonly long: string;
  readonly short: string | null;
  readonly description: string;
  /** What the value is; null: the option takes none. */
  readonly value: "directory" | "file" | "word" | null;
}

const VALUES: Readonly<Record<string, NonNullable<Option["value"]>>> = {
  DIR: "directory",
  FILE: "file",
  TARGET: "file",
};

function optionOf(long: string, definition: ArgDef): Option {
  const [short = null] = ["alias" in definition ? (definition.alias ?? []) : []].flat();
  const { valueHint, description = "" } = definition;
  const value = valueHint === undefined ? null : (VALUES[valueHint] ?? "word");
  return { long, short, description, value };
}

const optionsOf = ({ args }: HelpTopic): readonly Option[] =>
  Object.entries(args).flatMap(([name, definition]) =>
    definition.type === "positional" ? [] : [optionOf(name, definition)],
  );

const names = ({ short, long }: Option): readonly string[] => [
  ...(short ? [`-${short}`] : []),
  `--${long}`,
];

/** `pattern) action ;;` for the options whose value is of a kind. */
function bashCase(options: readonly Option[], kind: Option["value"], action: string): string[] {
  const patterns = options.filter(({ value }) => value === kind).flatMap(names);
  return patterns.length === 0 ? [] : [`    ${patterns.join("|")}) ${action} ;;`];
}

function bash(topic: HelpTopic): string {
  const options = optionsOf(topic);
  const words = options.flatMap(names).join(" ");
  return [
    `# bash completion of ${topic.name}; written by bun run completions`,
    `_${topic.name}() {`,
    "  local word=$2 before=$3",
    "  compopt -o filenames 2>/dev/null",
    "  case $before in",
    ...bashCase(options, "directory", 'mapfile -t COMPREPLY < <(compgen -d -- "$word"); return'),
    ...bashCase(options, "file", 'mapfile -t COMPREPLY < <(compgen -f -- "$word"); return'),
    ...bashCase(options, "word", "COMPREPLY=(); return"),
    "  esac",
    "  if [[ $word == -* ]]; then",
    `    mapfile -t COMPREPLY < <(compgen -W "${words}" -- "$word")`,
    "  else",
    '    mapfile -t COMPREPLY < <(compgen -f -- "$word")',
    "  fi",
    "}",
    `complete -F _${topic.name} ${topic.name}`,
    "",
  ].join("\n");
}

const ZSH_VALUES = { directory: ":directory:_files -/", file: ":file:_files", word: ":value:" };

/** `'(-q --quiet)'{-q,--quiet}'[...]'`: the forms exclude each other, or come as often as one likes. */
function zshSpecification(option: Option, isRepeatable: boolean): string {
  const forms = names(option);
  const before = isRepeatable ? "*" : forms.length > 1 ? `(${forms.join(" ")})` : "";
  const form = forms.length > 1 ? `'${before}'{${forms.join(",")}}'` : `'${before}${forms[0]}`;
  const description = option.description.replace(/[[\]:\\]/g, "\\$&").replaceAll("'", "'\\''");
  const value = option.value === null ? "" : ZSH_VALUES[option.value];
  return `${form}[${description}]${value}'`;
}

function zsh(topic: HelpTopic): string {
  const { name, repeatable = [], variadic } = topic;
  const lines = [
    "_arguments -s -S",
    ...optionsOf(topic).map((option) => zshSpecification(option, repeatable.includes(option.long))),
    variadic ? "'*:image:_files'" : "'1:image:_files'",
  ];
  return `#compdef ${name}\n\n${lines.join(" \\\n  ")}\n`;
}

const FISH_VALUES = {
  directory: " -x -a '(__fish_complete_directories)'",
  file: " -r -F",
  word: " -x",
};

function fish(topic: HelpTopic): string {
  const quoted = (text: string) => text.replace(/[\\']/g, "\\$&");
  const lines = optionsOf(topic).map(({ long, short, description, value }) => {
    const forms = `${short ? `-s ${short} ` : ""}-l ${long}`;
    return `complete -c ${topic.name} ${forms}${value === null ? "" : FISH_VALUES[value]} -d '${quoted(description)}'`;
  });
  return [...lines, ""].join("\n");
}

/** Where each shell looks for a command's completion, below `completions/` and below a package's root. */
export const shells = [
  {
    write: bash,
    file: (name: string) => `${name}.bash`,
    installed: (name: string) => `usr/share/bash-completion/completions/${name}`,
  },
  {
    write: zsh,
    file: (name: string) => `_${name}`,
    installed: (name: string) => `usr/share/zsh/vendor-completions/_${name}`,
  },
  {
    write: fish,
    file: (name: string) => `${name}.fish`,
    installed: (name: string) => `usr/share/fish/vendor_completions.d/${name}.fish`,
  },
] as const;

export const completionPath = (file: string): string => join(import.meta.dirname, file);

if (import.meta.main) {
  for (const topic of topics) {
    for (const { write, file } of shells)
      writeFileSync(completionPath(file(topic.name)), write(topic));
  }
}
