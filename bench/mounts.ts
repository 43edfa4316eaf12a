import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { isRoot, must, until } from "./command.ts";
import type { Lab } from "./lab.ts";
import { tool } from "./tools.ts";
import type { Volume } from "./volumes.ts";

/** Who shows a partition. */
export type Mounter =
  | "ours"
  | "C"
  | "C, same readahead"
  | "C, shifted"
  | "floor"
  | "floor, shifted"
  | "floor, gathering"
  | "PEER";

/** An image's data begin somewhere within a page. */
const SHIFT = 2057;

const FLOOR = resolve(import.meta.dir, "floor.ts");
const SCRIPTS = resolve(import.meta.dir, "../src/cli");
/** The same as the mounts of src/fuse ask for. */
const READ_AHEAD_KIB = 1024;

export const script = (program: Volume["program"] | "vconform"): readonly string[] => [
  process.execPath,
  join(SCRIPTS, `${program}.ts`),
];

/** Keeps what our commands remember away from the user's own. */
export const ownCache = (lab: Lab): Readonly<Record<string, string>> => ({
  XDG_CACHE_HOME: lab.path("cache"),
});

function isMounted(directory: string): boolean {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return mounts.some((line) => line.split(" ")[4] === directory);
}

/** A new directory; whatever is mounted on it at the end is unmounted. */
function mountPoint(lab: Lab): string {
  const directory = lab.path(`mount-${lab.count()}`);
  mkdirSync(directory);
  lab.defer(() => unmount(directory));
  return directory;
}

/** Once nothing is mounted there, the server ends by itself. */
export async function unmount(directory: string): Promise<void> {
  if (!isMounted(directory)) return;
  const argv = isRoot() ? ["umount", directory] : ["fusermount3", "-u", directory];
  // udev may look into a loop device for a moment, which keeps what is below it busy.
  await until(`unmounting ${directory}`, () =>
    Bun.spawnSync(argv, { stdio: ["ignore", "ignore", "ignore"] }).exitCode === 0 ? true : null,
  );
}

function onlyFile(directory: string): string {
  const files = readdirSync(directory);
  const [file] = files;
  if (file === undefined || files.length > 1) throw new Error(`mounted: ${files.join(", ")}`);
  return join(directory, file);
}

/** Mounts an image with our command; returns the partition's file. */
export function mountOurs(lab: Lab, program: Volume["program"], image: string): string {
  const directory = mountPoint(lab);
  must([...script(program), image, "-m", directory], ownCache(lab));
  return onlyFile(directory);
}

const FIRST_BLOCK = 4096;

/** Seconds from the command's start until the first block has been read through the mount. */
export function mountSeconds(lab: Lab, { program, image }: Omit<Volume, "raw">): Promise<number> {
  return secondsUntilRead(() => mountOurs(lab, program, image));
}

/** The same of the least that Bun can do: one process, which starts its threads and mounts. */
export function floorMountSeconds(lab: Lab, { raw }: Volume): Promise<number> {
  return secondsUntilRead(() => mountFloor(lab, raw, 0));
}

async function secondsUntilRead(mount: () => string | Promise<string>): Promise<number> {
  const begin = performance.now();
  const file = await mount();
  const fd = openSync(file, "r");
  readSync(fd, new Uint8Array(FIRST_BLOCK), 0, FIRST_BLOCK, 0);
  const seconds = (performance.now() - begin) / 1000;
  closeSync(fd);
  await unmount(resolve(file, ".."));
  return seconds;
}

function raiseReadahead(directory: string): void {
  const { dev } = statSync(directory);
  const major = (dev >>> 8) & 0xfff;
  const minor = (dev & 0xff) + ((dev >>> 12) & 0xfff00);
  writeFileSync(`/sys/class/bdi/${major}:${minor}/read_ahead_kb`, String(READ_AHEAD_KIB));
}

/** Runs a mounter that stays in the foreground, or goes to the background, until it answers. */
async function mountBy(lab: Lab, argv: (directory: string) => readonly string[]): Promise<string> {
  const directory = mountPoint(lab);
  const server = Bun.spawn([...argv(directory)], { stdio: ["ignore", "ignore", "inherit"] });
  lab.defer(async () => {
    await unmount(directory);
    await server.exited;
  });
  return await until(`mounting ${directory}`, () =>
    isMounted(directory) ? onlyFile(directory) : null,
  );
}

interface PeerOptions {
  readonly readahead?: true;
  readonly shift?: number;
}

async function mountPeer(lab: Lab, raw: string, options: PeerOptions = {}): Promise<string> {
  const { readahead = false, shift = 0 } = options;
  const peer = tool(lab, "peer");
  const others = isRoot() ? ["-o", "allow_other"] : [];
  const file = await mountBy(lab, (directory) => [peer, raw, `${shift}`, directory, ...others]);
  if (readahead) raiseReadahead(resolve(file, ".."));
  return file;
}

/** The raw partition by the least that Bun can do. */
const mountFloor = (lab: Lab, raw: string, shift: number, ...more: string[]): Promise<string> =>
  mountBy(lab, (directory) => [process.execPath, FLOOR, raw, `${shift}`, directory, ...more]);

/** PEER="command IMAGE DIR": the two words stand for an image and an empty directory. */
export const otherMounter = process.env.PEER;

async function mountOther(lab: Lab, command: string, image: string): Promise<string> {
  return await mountBy(lab, (directory) => [
    "sh",
    "-c",
    command.replaceAll(/\bIMAGE\b/g, '"$1"').replaceAll(/\bDIR\b/g, '"$2"'),
    "sh",
    image,
    directory,
  ]);
}

/** The partition of a volume as a mounter shows it; mounted when first asked for. */
export function mounted(lab: Lab, by: Mounter, volume: Volume): Promise<string> {
  return lab.once(`${by} ${volume.image}`, async () => {
    switch (by) {
      case "ours":
        return mountOurs(lab, volume.program, volume.image);
      case "C":
        return mountPeer(lab, volume.raw);
      case "C, same readahead":
        return mountPeer(lab, volume.raw, { readahead: true });
      case "C, shifted":
        return mountPeer(lab, volume.raw, { shift: SHIFT });
      case "floor":
        return mountFloor(lab, volume.raw, 0);
      case "floor, shifted":
        return mountFloor(lab, volume.raw, SHIFT);
      case "floor, gathering":
        return mountFloor(lab, volume.raw, SHIFT, "gather");
      case "PEER":
        return mountOther(lab, otherMounter ?? "false", volume.image);
    }
  });
}

/** The process that serves a file of one of our mounts. */
export function serverOf(file: string): number {
  const directory = resolve(file, "..");
  const pids = readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    const words = argumentsOf(name);
    return words.includes("-m") && words.includes(directory);
  });
  if (pids.length !== 1) throw new Error(`${pids.length} processes serve ${directory}`);
  return Number(pids[0]);
}

function argumentsOf(pid: string): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    // It ended between the listing and here.
    return [];
  }
}

/** A loop device over a file, with direct I/O below it. */
export function loopDevice(lab: Lab, file: string): string {
  return lab.once(`loop ${file}`, () => {
    const options = ["--find", "--show", "--read-only", "--direct-io=on"];
    const device = must(["losetup", ...options, file]).trim();
    lab.defer(() => must(["losetup", "--detach", device]));
    return device;
  });
}

/** Empties the page cache: of everything as root, which is what a cold start means. */
export function dropCaches(): void {
  must(["sync"]);
  writeFileSync("/proc/sys/vm/drop_caches", "1");
}

/**
 * The volume's files in the page cache as one reading in order leaves them. As a tool's small writes
 * or random reads left them, in pages of 4 KiB, the same file takes 1.4 times as long to read.
 */
export function warm(lab: Lab, { raw, image }: Volume): void {
  for (const path of [raw, image]) {
    lab.once(`warm ${path}`, () => {
      must(["sync", "-f", path]);
      must(["dd", `if=${path}`, "iflag=nocache", "count=0"]);
      must(["dd", `if=${path}`, "of=/dev/null", "bs=1M"]);
    });
  }
}
