import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** What a command left behind: its status (`null` when it was killed) and all it printed. */
export interface Outcome {
  readonly status: number | null;
  readonly output: string;
}

export type Argv = readonly string[];

/** No command of these tests takes more than a few seconds: past this one it hangs. */
const COMMAND_TIMEOUT = 60_000;
/** udev may look into a loop device for a moment, and keeps what is below it busy so long. */
const BUSY_TIMEOUT = 5_000;

export function run(argv: Argv): Outcome {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...argv], {
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    stdout: "pipe",
    stderr: "pipe",
    timeout: COMMAND_TIMEOUT,
    killSignal: "SIGKILL",
  });
  return { status: exitCode, output: `${stdout}${stderr}` };
}

/** Runs a command that has to succeed; returns what it printed. */
export function must(argv: Argv): string {
  const { status, output } = run(argv);
  if (status !== 0) throw new Error(`${argv.join(" ")}: status ${status}\n${output}`);
  return output;
}

export function scratchDirectory(stack: DisposableStack): string {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-real-"));
  stack.defer(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function loopDevice(stack: DisposableStack, file: string, access: "ro" | "rw"): string {
  const options = access === "ro" ? ["--read-only"] : [];
  const device = must(["losetup", "--find", "--show", ...options, file]).trim();
  stack.defer(() => must(["losetup", "--detach", device]));
  return device;
}

/** A new directory on which the command that `argv` builds mounts something. */
export function mountPoint(stack: DisposableStack, argv: (directory: string) => Argv): string {
  const directory = scratchDirectory(stack);
  stack.defer(() => unmount(directory));
  must(argv(directory));
  return directory;
}

/** The virtual partition that our command serves for an image, until the stack is disposed of. */
export function virtualPartition(
  stack: DisposableStack,
  program: "vpartclone" | "vntfsclone",
  image: string,
): string {
  const script = resolve(import.meta.dir, "../../src/cli", `${program}.ts`);
  stack.defer(() => endOfServer(image));
  const directory = mountPoint(stack, (dir) => [process.execPath, script, image, "-m", dir]);
  const files = readdirSync(directory);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`mounted: ${files.join(", ")}`);
  return join(directory, file);
}

function unmount(directory: string): void {
  if (!isMountPoint(directory)) return;
  const outcome = until(
    () => run(["umount", directory]),
    ({ status }) => status === 0,
  );
  if (outcome.status === 0) return;
  must(["umount", "--lazy", directory]);
  throw new Error(outcome.output);
}

function isMountPoint(directory: string): boolean {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === directory);
}

/** The server must end by itself once its mount is gone; one that does not is a failure. */
function endOfServer(image: string): void {
  const left = until(
    () => processesThatName(image),
    (pids) => pids.length === 0,
  );
  if (left.length === 0) return;
  for (const pid of left) process.kill(pid, "SIGKILL");
  throw new Error(`after its unmounting the server of ${image} runs on: ${left.join(", ")}`);
}

function processesThatName(image: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid && argumentsOf(pid).includes(image));
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended between the listing and here.
    return [];
  }
}

function until<T>(look: () => T, done: (seen: T) => boolean): T {
  const end = performance.now() + BUSY_TIMEOUT;
  let seen = look();
  while (!done(seen) && performance.now() < end) {
    Bun.sleepSync(20);
    seen = look();
  }
  return seen;
}
