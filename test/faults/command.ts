import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import type { Fixture, PartcloneV2Params } from "../../fixtures-gen/fixture.ts";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { mountDirectory, ROOT, run, until } from "../fuse/harness.ts";

export const BLOCK = 4096;
export const COMMAND = join(import.meta.dirname, "../../src/cli/vpartclone.ts");
export const NEEDS = ["root", "/dev/fuse"];
export const TIMEOUT = 60_000;

const PARAMS: PartcloneV2Params = {
  format: "partclone-v2",
  seed: 5,
  blockSize: BLOCK,
  runs: [300, 100, 200, 40, 360, 24],
  tail: 0,
  fsType: "EXTFS",
  otherValues: false,
  byteOrder: "little",
  cpuBits: 64,
  checksumMode: "crc32",
  blocksPerChecksum: 16,
  reseed: true,
  bitmapMode: "bits",
  strayBits: false,
  usedSuperblockError: 0,
  usedBitmapError: 0,
};

/** A partition of 4 MiB, with holes, in an image of 3.4. */
export const fixture = (changes: Partial<PartcloneV2Params> = {}): Fixture =>
  build({ ...PARAMS, ...changes });

export interface Folder extends Disposable {
  readonly path: string;
  /** Writes a file of this folder; its path. */
  file(name: string, bytes: Uint8Array): string;
}

export function folder(): Folder {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-faults-"));
  return {
    path,
    file(name, bytes) {
      writeFileSync(join(path, name), bytes);
      return join(path, name);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Processes of ours, not their guards, that serve a mount on this directory. */
export function serversOf(directory: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return words.includes(directory) && words[0] !== "sh" && words.includes("-m");
      } catch {
        return false;
      }
    })
    .map(Number);
}

export interface CommandOptions {
  /** What the command line begins with: unshare, setpriv, … */
  readonly prefix?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command to its end; a mount goes on being served in the background. */
export async function vpartclone(
  words: readonly string[],
  options: CommandOptions = {},
): Promise<Ran> {
  const { prefix = [], args = [], env = {} } = options;
  const child = Bun.spawn({
    cmd: [...prefix, process.execPath, COMMAND, ...words, ...args],
    cwd: "/",
    env: { ...process.env, LC_ALL: "C", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  return { status: await child.exited, out, err };
}

export interface MountedImage extends AsyncDisposable {
  readonly directory: string;
  /** The partition. */
  readonly file: string;
  readonly pid: number;
  /** As `umount` does; its standard error and status. */
  unmount(): { readonly code: number; readonly err: string };
  /** Waits for the server's end. */
  ended(): Promise<void>;
}

/** Mounts an image with the command itself, in the background; disposing leaves nothing of it. */
export async function mounted(image: string, options: CommandOptions = {}): Promise<MountedImage> {
  const directory = mountDirectory(ROOT);
  const ran = await vpartclone([image, "-m", directory.path], options);
  const [pid] = serversOf(directory.path);
  if (ran.status !== 0 || pid === undefined) {
    directory[Symbol.dispose]();
    throw new Error(`not mounted: ${ran.status} ${ran.out} ${ran.err}`);
  }
  const isAlive = () => serversOf(directory.path).length > 0;
  const [name = ""] = readdirSync(directory.path);
  return {
    directory: directory.path,
    file: join(directory.path, name),
    pid,
    unmount: () => run(ROOT, "umount", directory.path),
    ended: () => until(() => !isAlive()),
    async [Symbol.asyncDispose]() {
      while (
        mountAt(directory.path) !== null &&
        run(ROOT, "umount", "-l", directory.path).code === 0
      );
      for (let left = 50; isAlive() && left > 0; left--) await Bun.sleep(20);
      for (const left of serversOf(directory.path)) process.kill(left, "SIGKILL");
      directory[Symbol.dispose]();
    },
  };
}

/** The bytes, past the page cache; or the code of the error. */
export function readRange(file: string, offset: number, length: number): Buffer | string {
  let fd: number | null = null;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_DIRECT);
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? String(error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Is this what the partition holds there? */
export function isRight(read: Buffer | string, { partition }: Fixture, offset: number): boolean {
  if (typeof read === "string") return false;
  return Buffer.compare(read, partition.subarray(offset, offset + read.length)) === 0;
}
