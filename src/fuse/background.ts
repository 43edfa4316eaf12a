import { closeSync, readSync, writeSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { pipe } from "./libc.ts";

/** Set in the environment of a background child, to the descriptor it reports on. */
const VARIABLE = "VPARTCLONE_READY_FD";
/** And to what it is to do, as its parent has understood the command line. */
const TASK_VARIABLE = "VPARTCLONE_TASK";
const READY_FD = 3;
/** The name of the program that serves. */
const SERVER = "vpartclone";
/** As much as a pipe holds; the report of a folder with many images has more. */
const PIPE_BYTES = 65536;

export interface BackgroundChild {
  readonly pid: number;
  /** What the child gave `reportReady`. */
  readonly payload: string;
}

/** FUS-READY: the command that starts this program again, compiled into one executable or not. */
export function ownCommand(): { readonly cmd: readonly string[]; readonly argv0?: string } {
  // The executable holds several programs, and goes by its name.
  if (Bun.main.startsWith("/$bunfs/")) return { cmd: [process.execPath], argv0: SERVER };
  return { cmd: [process.execPath, ...process.execArgv, Bun.main] };
}

function readToEnd(fd: number): string {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = Buffer.alloc(PIPE_BYTES);
    const count = readSync(fd, chunk, 0, chunk.length, null);
    if (count === 0) return Buffer.concat(chunks).toString("utf8");
    chunks.push(chunk.subarray(0, count));
  }
}

/**
 * Starts this program again with `args`, detached from the terminal, and waits for its report.
 * `task` is for `takeTask`. Throws SYSTEM with the child's line where it failed, or died without one.
 */
export function startInBackground(args: readonly string[], task = ""): BackgroundChild {
  const { first, second } = pipe();
  const { cmd, ...name } = ownCommand();
  const child = Bun.spawn({
    cmd: [...cmd, ...args],
    ...name,
    env: { ...process.env, [VARIABLE]: String(READY_FD), [TASK_VARIABLE]: task },
    detached: true,
    // Nothing of the parent's: a shell's pipe that a server holds open never ends.
    stdio: ["ignore", "ignore", "ignore", second],
  });
  child.unref();
  closeSync(second);
  const report = readToEnd(first);
  closeSync(first);
  const [, verdict, text = ""] = /^(ok|error) (.*)\n$/s.exec(report) ?? [];
  if (verdict === "ok") return { pid: child.pid, payload: text };
  throw new ImageBackupError("SYSTEM", text || "the server died before the mount was ready");
}

/** Is this process a background child that still owes its report? */
export const isBackgroundChild = (): boolean => process.env[VARIABLE] !== undefined;

/** Child: what its parent gave `startInBackground`. */
export function takeTask(): string {
  const task = process.env[TASK_VARIABLE] ?? "";
  delete process.env[TASK_VARIABLE];
  return task;
}

/** Returns the descriptor it was written to. */
function report(line: string): number {
  const fd = Number(process.env[VARIABLE]);
  delete process.env[VARIABLE];
  writeSync(fd, line);
  return fd;
}

/** Child: the mount works. Also leaves the working directory, which may be wanted unmounted. */
export function reportReady(payload: string): void {
  process.chdir("/");
  if (isBackgroundChild()) closeSync(report(`ok ${payload}\n`));
}

/**
 * Child: it does not; `line` is what the parent's user reads, when the process has ended: its
 * descriptor stays open, as its threads may take a moment to end.
 */
export function reportFailure(line: string): void {
  if (isBackgroundChild()) report(`error ${line}\n`);
}
