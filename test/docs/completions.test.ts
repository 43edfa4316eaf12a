import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { completionPath, shells } from "../../completions/generate.ts";
import { topics } from "../../man/generate.ts";
import { testWith } from "../require.ts";

const pages = topics.flatMap((topic) =>
  shells.map(({ write, file }) => ({ file: file(topic.name), text: write(topic) })),
);

test.each(pages)("$file is what the option tables say: bun run completions", ({ file, text }) => {
  expect(readFileSync(completionPath(file), "utf8")).toBe(text);
});

function answered(cmd: readonly string[]): readonly string[] {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...cmd], { cwd: "/", stderr: "pipe" });
  expect({ exitCode, err: stderr.toString() }).toEqual({ exitCode: 0, err: "" });
  return stdout.toString().trim().split("\n");
}

describe("the shells", () => {
  /** The first of the replies. */
  const script = 'source "$1"; shift; "_$1" "$@"; echo "$COMPREPLY"';
  const bash = (before: string, word: string) =>
    answered([
      "bash",
      "-c",
      script,
      "bash",
      completionPath("vpartclone.bash"),
      "vpartclone",
      word,
      before,
    ]);

  testWith(["bash"], "bash completes options, directories and files", () => {
    expect(bash("vpartclone", "--cr")).toEqual(["--crc_check"]);
    expect(bash("-m", "us")).toEqual(["usr"]);
    expect(bash("--index_size", "")).toEqual([""]);
    expect(bash("vpartclone", "/etc/os-rel")).toEqual(["/etc/os-release"]);
  });

  testWith(["fish"], "fish completes options", () => {
    const path = completionPath("vpartclone.fish");
    const [line = ""] = answered(["fish", "-c", `source ${path}; complete -C 'vpartclone --cr'`]);
    expect(line).toStartWith("--crc_check\t");
  });

  /** Types each argument and a tab into an interactive shell, and prints the line that comes of it. */
  const interactive = `
    zmodload zsh/zpty
    zpty shell env -u EDITOR -u VISUAL TERM=dumb zsh -f -i
    zpty -w shell "fpath=($1 \\$fpath); autoload -Uz compinit; compinit -u -D; cd /
      tell() { zle -I; print -r \\"<\\$BUFFER>\\"; BUFFER=; }; zle -N tell; bindkey '^T' tell; echo rea''dy"
    zpty -r -m shell seen '*ready*'
    for typed in "\${@[2,-1]}"; do
      zpty -n -w shell "$typed"$'\\t\\C-t'
      zpty -r -m shell seen '*<*>*'
      print -r -- "\${\${seen##*<}%%[ /]#>*}"
    done`;
  testWith(
    ["zsh"],
    "zsh completes options, directories and files, of every command",
    () => {
      const zsh = (...typed: readonly string[]) =>
        answered([
          "zsh",
          "-f",
          "-o",
          "extendedglob",
          "-c",
          interactive,
          "zsh",
          completionPath(""),
          ...typed,
        ]);
      const completed = topics.map(({ name }) => `${name} --version`);
      expect(zsh(...topics.map(({ name }) => `${name} --vers`))).toEqual(completed);
      expect(zsh("vpartclone --cr", "vpartclone x -m us", "vpartclone /etc/os-rel")).toEqual([
        "vpartclone --crc_check",
        "vpartclone x -m usr",
        "vpartclone /etc/os-release",
      ]);
    },
    30_000,
  );
});
