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

  testWith(["zsh"], "zsh reads its files", () => {
    for (const { name } of topics) answered(["zsh", "-n", completionPath(`_${name}`)]);
  });
});
