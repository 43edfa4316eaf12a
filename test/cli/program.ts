import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export type ProgramName = "vpartclone" | "vntfsclone";
export const programs = ["vpartclone", "vntfsclone"] as const satisfies readonly ProgramName[];

/** What a command left behind; its status is `null` when it was killed. */
export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** No command here takes more than seconds: past this one it hangs. */
const TIMEOUT = 30_000;

export const scriptOf = (program: string): string =>
  resolve(import.meta.dir, "../../src/cli", `${program}.ts`);

export interface Scratch extends Disposable {
  readonly path: string;
  /** Writes a file; returns its absolute path. */
  file(name: string, bytes: Uint8Array | string): string;
}

export function scratch(): Scratch {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-cli-"));
  return {
    path,
    file(name, bytes) {
      const file = join(path, name);
      writeFileSync(file, bytes);
      return file;
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

export interface RunOptions {
  /** Where the command runs: images are then named without a directory. */
  readonly cwd?: string;
  /** Standard input; nothing by default. */
  readonly stdin?: Uint8Array;
}

/** Runs one of our commands. */
export function runProgram(
  program: ProgramName,
  args: readonly string[],
  { cwd = "/", stdin }: RunOptions = {},
): Ran {
  return runCommand([process.execPath, scriptOf(program), ...args], {
    cwd,
    ...(stdin && { stdin }),
  });
}

export function runCommand(cmd: readonly string[], { cwd = "/", stdin }: RunOptions = {}): Ran {
  const { exitCode, stdout, stderr } = Bun.spawnSync({
    cmd: [...cmd],
    cwd,
    env: { ...process.env, LC_ALL: "C" },
    stdin: stdin ?? "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: TIMEOUT,
    killSignal: "SIGKILL",
  });
  return { status: exitCode, out: stdout.toString(), err: stderr.toString() };
}

/** The lines of an output; none of them may be a frame of a stack trace. */
export function linesOf(text: string): string[] {
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const frame = lines.find((line) => /^\s+at /.test(line) || /^Bun v/.test(line));
  if (frame !== undefined) throw new Error(`a stack trace:\n${text}`);
  return lines;
}
