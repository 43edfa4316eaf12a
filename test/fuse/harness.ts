import { chmodSync, chownSync, mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import type { ServerConfig } from "./pattern-server.ts";

/** Who a test acts as: root by mount(2), `nobody` as everybody else, through fusermount3. */
export interface User {
  readonly name: "root" | "user";
  readonly id: number;
  /** What the programs this user starts begin with. */
  readonly prefix: readonly string[];
}

const NOBODY = 65534;
export const ROOT: User = { name: "root", id: 0, prefix: [] };
export const USER: User = {
  name: "user",
  id: NOBODY,
  prefix: ["setpriv", `--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"],
};
export const USERS = [ROOT, USER];

/** What a test that mounts as this user needs of the machine. */
export const mountNeeds = (user: User): string[] =>
  user === ROOT ? ["root", "/dev/fuse"] : ["root", "/dev/fuse", "setpriv", "fusermount3"];

/** Minimal systems have it 0600; udev makes it 0666 everywhere else, so it is left like that. */
export function openDeviceToAll(): void {
  chmodSync("/dev/fuse", 0o666);
}

export interface Finished {
  readonly code: number;
  readonly out: Buffer;
  readonly err: string;
}

/** Runs a program as `user`. */
export function run(user: User, ...command: readonly string[]): Finished {
  const result = Bun.spawnSync({
    cmd: [...user.prefix, ...command],
    cwd: "/",
    env: { ...process.env, LC_ALL: "C", HOME: "/nonexistent" },
  });
  return { code: result.exitCode, out: result.stdout, err: result.stderr.toString() };
}

/** An empty directory of the user's own, and its removal, whatever is mounted on it by then. */
export function mountDirectory(user: User): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-fuse-"));
  chmodSync(path, 0o755);
  chownSync(path, user.id, user.id);
  return {
    path,
    [Symbol.dispose]() {
      while (mountAt(path) !== null) {
        if (run(ROOT, "umount", "-l", path).code !== 0) break;
      }
      rmdirSync(path);
    },
  };
}

export interface TestServer extends AsyncDisposable {
  readonly pid: number;
  readonly mountPoint: string;
  readonly file: string;
  /** Resolves with the text of the first event of this kind; rejects if the server ends without. */
  said(event: string): Promise<string>;
  /** Texts of all events of this kind so far. */
  all(event: string): string[];
  /** Waits for the server's end; its exit status. */
  exit(): Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
}

const SERVER = join(import.meta.dir, "pattern-server.ts");

const compiled = new Map<string, string>();

/** A program as one executable in a directory open to all, until the tests end. */
function executable(entries: readonly string[]): string {
  const key = entries.join();
  const known = compiled.get(key);
  if (known !== undefined) return known;
  const directory = mkdtempSync(join(tmpdir(), "vpartclone-server-"));
  // Bun's test runner ends without an `exit` event; the end of a pipe comes in any case.
  const sweeper = ["sh", "-c", 'cat; rm -r -- "$1"', "sh", directory];
  Bun.spawn(sweeper, { stdio: ["pipe", "ignore", "ignore"] }).unref();
  chmodSync(directory, 0o755);
  const file = join(directory, "server");
  const build = ["build", "--compile", ...entries, "--outfile", file];
  const { code, err } = run(ROOT, process.execPath, ...build);
  if (code !== 0) throw new Error(`the server cannot be compiled: ${err}`);
  chmodSync(file, 0o755);
  compiled.set(key, file);
  return file;
}

/**
 * How a user starts a program, given its file and those of its threads: an ordinary user may reach
 * neither these nor Bun where they are in root's home.
 */
export function programCommand(user: User, ...entries: readonly [string, ...string[]]): string[] {
  const isOpen = (path: string) => run(user, "test", "-r", path).code === 0;
  const isUsable = user === ROOT || [process.execPath, ...entries].every(isOpen);
  return isUsable ? [process.execPath, entries[0]] : [executable(entries)];
}

const PATIENCE_MS = 20;

/** Longer than anything here takes, and shorter than the tests' own timeout, which cleans nothing. */
const DEADLINE_MS = 20_000;

/** Waits until `condition` holds. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + DEADLINE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${DEADLINE_MS} ms: ${condition}`);
    await Bun.sleep(PATIENCE_MS);
  }
}

/** The lines a server says, each an event's name and its text. */
function readEvents(output: ReadableStream<Uint8Array>): Pick<TestServer, "said" | "all"> {
  const lines: string[] = [];
  let isOver = false;
  const read = async () => {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of output) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    }
    isOver = true;
  };
  void read();
  const all = (event: string) =>
    lines
      .filter((line) => line.startsWith(`${event} `))
      .map((line) => line.slice(event.length + 1));
  return {
    all,
    async said(event) {
      await until(() => isOver || all(event).length > 0);
      const [first] = all(event);
      if (first !== undefined) return first;
      throw new Error(`no "${event}" from the server:\n${lines.join("\n")}`);
    },
  };
}

/** Starts a server in a process of its own; disposing of it leaves neither process nor mount. */
export function startServer(
  user: User,
  config: Omit<ServerConfig, "mountPoint" | "source"> & Partial<ServerConfig>,
): TestServer {
  if (user !== ROOT) openDeviceToAll();
  const directory = config.mountPoint === undefined ? mountDirectory(user) : null;
  const mountPoint = config.mountPoint ?? directory?.path ?? "";
  const whole: ServerConfig = { source: "/images/sda1.img", ...config, mountPoint };
  const child = Bun.spawn({
    cmd: [...user.prefix, ...programCommand(user, SERVER), JSON.stringify(whole)],
    cwd: "/",
    env: { ...process.env, HOME: "/nonexistent" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const events = readEvents(child.stdout);
  return {
    pid: child.pid,
    mountPoint,
    file: join(mountPoint, config.pattern.name),
    ...events,
    async exit() {
      await until(() => child.exitCode !== null || child.signalCode !== null);
      return child.exitCode;
    },
    kill: (signal) => child.kill(signal),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
      directory?.[Symbol.dispose]();
    },
  };
}
