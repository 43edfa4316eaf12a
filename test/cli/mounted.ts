import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { mountDirectory, programCommand, ROOT, run, type User, until } from "../fuse/harness.ts";
import { type ProgramName, type Ran, runCommand, scriptOf } from "./program.ts";

/** A virtual partition, until it is disposed of: then neither mount nor process is left. */
export interface Mounted extends AsyncDisposable {
  readonly mountPoint: string;
  /** The virtual partition's path. */
  readonly file: string;
  /** What the command printed to standard output. */
  readonly out: string;
  readonly err: () => string;
  readonly pid: number;
}

const commandOf = (user: User, program: ProgramName): string[] =>
  programCommand(user, scriptOf(program), scriptOf("worker"));

/** Named after the image, without `.img` and what says how it is compressed and which piece it is. */
const fileIn = (mountPoint: string, image: string): string =>
  join(mountPoint, basename(image).replace(/\.img(\.\w+)*$/, ""));

/** As anybody mounts: the command returns, and a server in the background goes on. */
export function mountInBackground(
  user: User,
  program: ProgramName,
  image: string,
  ...options: readonly string[]
): Mounted {
  const point = mountDirectory(user);
  const args = [image, "-m", point.path, ...options];
  const { status, out, err } = runCommand([...user.prefix, ...commandOf(user, program), ...args]);
  const [pid] = serversOf(point.path);
  if (status !== 0 || pid === undefined) {
    point[Symbol.dispose]();
    throw new Error(`${program} ${args.join(" ")}: status ${status}\n${err}`);
  }
  const mountPoint = point.path;
  return {
    ...{ mountPoint, file: fileIn(mountPoint, image), out, err: () => err, pid },
    async [Symbol.asyncDispose]() {
      try {
        // A client that was just killed or unmounted may hold the file for a moment.
        const isUnmounted = () =>
          mountAt(mountPoint) === null || run(ROOT, "umount", mountPoint).code === 0;
        await until(isUnmounted);
        await endOf(mountPoint);
      } finally {
        point[Symbol.dispose]();
      }
    },
  };
}

/** With -d: the server says what it is asked, and what goes wrong. */
export async function mountInForeground(
  user: User,
  program: ProgramName,
  image: string,
  ...options: readonly string[]
): Promise<Mounted & { readonly exited: Promise<number> }> {
  const point = mountDirectory(user);
  const mountPoint = point.path;
  const child = Bun.spawn({
    cmd: [...user.prefix, ...commandOf(user, program), image, "-d", "-m", mountPoint, ...options],
    cwd: "/",
    env: { ...process.env, LC_ALL: "C", HOME: "/nonexistent" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = [collect(child.stdout), collect(child.stderr)];
  await until(() => out().includes("end it:") || child.exitCode !== null);
  return {
    ...{ mountPoint, file: fileIn(mountPoint, image), out: out(), err, pid: child.pid },
    exited: child.exited,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      const isEnded = () => child.exitCode !== null || child.signalCode !== null;
      await until(isEnded).catch(() => child.kill("SIGKILL"));
      point[Symbol.dispose]();
    },
  };
}

function collect(stream: ReadableStream<Uint8Array>): () => string {
  const decoder = new TextDecoder();
  let text = "";
  void (async () => {
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  })();
  return () => text;
}

/** The server's process ends by itself once its mount is gone. */
async function endOf(mountPoint: string): Promise<void> {
  try {
    await until(() => serversOf(mountPoint).length === 0);
  } catch (error) {
    for (const pid of serversOf(mountPoint)) process.kill(pid, "SIGKILL");
    throw error;
  }
}

/** Processes with this mount point among their arguments, but for its guard. */
export function serversOf(mountPoint: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      const args = argumentsOf(pid);
      return args.includes(mountPoint) && args[0] !== "sh";
    });
}

function argumentsOf(pid: number): string[] {
  try {
    return pid > 0 ? readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0") : [];
  } catch {
    return []; // It ended between the listing and here.
  }
}

/** Bytes of a file from an offset on, read by `dd` past the page cache; an error is its message. */
export function direct(
  user: User,
  file: string,
  offset: number,
  size: number,
): Ran & { bytes: Buffer } {
  const { code, out, err } = run(
    user,
    ...["dd", `if=${file}`, "bs=4096", "iflag=skip_bytes,count_bytes,direct"],
    ...[`skip=${offset}`, `count=${size}`, "status=none"],
  );
  return { status: code, out: "", err, bytes: out };
}
