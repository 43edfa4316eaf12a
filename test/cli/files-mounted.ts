import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import {
  mountDirectory,
  programCommand,
  ROOT,
  run,
  USER,
  type User,
  until,
} from "../fuse/harness.ts";
import { runCommand, scriptOf } from "./program.ts";

/** An image's files in a directory, until they are disposed of. */
export interface MountedFiles extends AsyncDisposable {
  readonly image: string;
  readonly directory: string;
  readonly out: string;
}

/** What a mount of files is known by. */
type Known = Pick<MountedFiles, "image" | "directory">;

export function mountFiles(user: User, image: string, ...options: readonly string[]): MountedFiles {
  const point = mountDirectory(user);
  const directory = point.path;
  const command = programCommand(user, scriptOf("vpartclone"), scriptOf("worker"));
  const args = [image, "-m", directory, "--files", ...options];
  const { status, out, err } = runCommand([...user.prefix, ...command, ...args]);
  if (status !== 0) {
    point[Symbol.dispose]();
    throw new Error(`${args.join(" ")}: status ${status}\n${err}`);
  }
  return {
    ...{ image, directory, out },
    async [Symbol.asyncDispose]() {
      try {
        const isUnmounted = () =>
          mountAt(directory) === null || run(ROOT, "umount", directory).code === 0;
        await until(isUnmounted);
        await until(() => leftOf({ image, directory }).length === 0);
      } finally {
        for (const { pid } of processesOf(directory)) process.kill(pid, "SIGKILL");
        point[Symbol.dispose]();
      }
    },
  };
}

export interface Process {
  readonly pid: number;
  readonly args: readonly string[];
}

/** Processes with this directory among their arguments: the server, its guard, a driver. */
export function processesOf(directory: string): Process[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0)
    .map((pid) => ({ pid, args: argumentsOf(pid) }))
    .filter(({ args }) => args.includes(directory));
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return []; // It ended between the listing and here.
  }
}

/** Where servers keep their records and hidden mounts. */
const STATES = ["/run/vpartclone", join(tmpdir(), `vpartclone-${USER.id}`)];

/** Everything that there is of a mount of files, each thing as a line. */
export function leftOf({ image, directory }: Known): string[] {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const name = basename(image, ".img");
  return [
    ...mounts.filter((line) => line.includes(directory) || line.includes(image)),
    ...loopFiles().filter((file) => basename(file).startsWith(name)),
    ...processesOf(directory).map(({ pid, args }) => `${pid}: ${args.join(" ")}`),
    ...STATES.flatMap((state) => inState(state, directory)),
  ];
}

function loopFiles(): string[] {
  return readdirSync("/sys/block")
    .map((device) => `/sys/block/${device}/loop/backing_file`)
    .flatMap((path) => {
      try {
        return [readFileSync(path, "utf8").trim()];
      } catch {
        return []; // No loop device, or a free one.
      }
    });
}

function inState(state: string, directory: string): string[] {
  if (!existsSync(state)) return [];
  return readdirSync(state)
    .map((name) => join(state, name))
    .filter((path) => basename(path).startsWith("partition-") || isRecordOf(path, directory));
}

function isRecordOf(path: string, directory: string): boolean {
  try {
    return readFileSync(path, "utf8").includes(JSON.stringify(directory));
  } catch {
    return false; // Removed between the listing and here.
  }
}
