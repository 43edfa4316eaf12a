import { readFileSync } from "node:fs";
import { arch, cpus, release, totalmem } from "node:os";

export type Machine = Readonly<Record<string, string>>;

/** The first line of what a command says of itself, on either output. */
function firstLine(argv: readonly string[]): string {
  const { stdout, stderr } = Bun.spawnSync([...argv], { stdout: "pipe", stderr: "pipe" });
  return (
    `${stdout}\n${stderr}`
      .split("\n")
      .find((line) => line.trim() !== "")
      ?.trim() ?? "?"
  );
}

function distribution(): string {
  const name = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1];
  return name ?? "?";
}

/** Where the figures come from. */
export function machine(): Machine {
  const all = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    processor: `${all.length} x ${all[0]?.model ?? "?"} (${arch()})`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    kernel: release(),
    system: distribution(),
    Bun: Bun.version,
    "libfuse 3": firstLine(["pkg-config", "--modversion", "fuse3"]),
    gcc: firstLine(["gcc", "--version"]),
    fio: firstLine(["fio", "--version"]),
    partclone: firstLine(["partclone.ext4", "--version"]),
    ntfsclone: firstLine(["ntfsclone", "--version"]),
  };
}
