import { ImageBackupError } from "../bytes/errors.ts";
import * as libc from "../fuse/libc.ts";
import { codeOf } from "../fuse/mount-point.ts";
import { mountAt } from "../fuse/mount-table.ts";
import { type DriverProcess, holderOf } from "./driver-process.ts";
import { loopDevice } from "./loop-device.ts";
import type { Shown } from "./mounter.ts";
import type { Way } from "./ways.ts";

const problem = (text: string, cause?: unknown): ImageBackupError =>
  new ImageBackupError("SYSTEM", text, {}, { cause });

/**
 * FUS-FILES-WAY: mounts the file system in the file `partition` on `directory`, the first way that
 * works. Throws SYSTEM with what each of them said.
 */
export function showFiles(ways: readonly Way[], partition: string, directory: string): Shown {
  const failures: string[] = [];
  for (const way of ways) {
    try {
      const driver =
        way.by === "kernel"
          ? mountByKernel(way, partition, directory)
          : mountByProgram(way, partition, directory);
      const mount = mountAt(directory);
      if (mount !== null) return { mount, driver };
      failures.push(`${way.by === "kernel" ? way.driver : way.name} mounted nothing`);
    } catch (error) {
      if (!(error instanceof ImageBackupError)) throw error;
      failures.push(error.message);
    }
  }
  throw problem(`the files cannot be shown: ${failures.join("; ")}`);
}

const FLAGS = libc.MS_RDONLY + libc.MS_NOSUID + libc.MS_NODEV;

type KernelWay = Extract<Way, { by: "kernel" }>;
type ProgramWay = Extract<Way, { by: "fuse" }>;

function mountByKernel({ driver, options }: KernelWay, partition: string, directory: string): null {
  using loop = loopDevice(partition);
  try {
    libc.mount(loop.path, directory, driver, FLAGS, options);
    return null;
  } catch (error) {
    const code = codeOf(error);
    throw problem(`the kernel's ${driver} driver refuses them: ${code}; dmesg may say why`, error);
  }
}

/** A driver's mount on a loop device keeps that open, and with it the partition, when the driver dies. */
function mountByProgram(
  way: ProgramWay,
  partition: string,
  directory: string,
): DriverProcess | null {
  using loop = way.takes === "device" ? loopDevice(partition) : null;
  runDriver(way, loop?.path ?? partition, directory);
  // Of an ordinary user's mounts fusermount3 sees to it. Not every driver takes these as options.
  if (process.geteuid?.() === 0) {
    libc.mount("none", directory, "none", libc.MS_REMOUNT + libc.MS_BIND + FLAGS, "");
  }
  return loop === null ? null : holderOf(loop.path);
}

/** A FUSE driver returns when it serves, in a process of its own. */
function runDriver({ name, program, args }: ProgramWay, source: string, directory: string): void {
  const { exitCode, stderr } = Bun.spawnSync({
    cmd: [program, ...args, source, directory],
    cwd: "/",
    // Otherwise guestmount may ask libvirt, whose QEMU is another user's and may not read the file.
    env: { ...process.env, LIBGUESTFS_BACKEND: "direct" },
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (exitCode === 0) return;
  const [said = ""] = stderr
    .toString()
    .split("\n")
    .filter((line) => line.trim() !== "");
  throw problem(`${name} ended with status ${exitCode}${said ? `: ${said.trim()}` : ""}`);
}
