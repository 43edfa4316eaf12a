import { closeSync, openSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { ioctl } from "../fuse/libc.ts";
import { codeOf } from "../fuse/mount-point.ts";

const CONTROL = "/dev/loop-control";
const LOOP_CTL_GET_FREE = 0x4c82;
const LOOP_CONFIGURE = 0x4c0a;

/** struct loop_config of linux/loop.h: where what is set is in it. */
const CONFIG = { size: 304, fd: 0, flags: 60, name: 64, nameBytes: 63 } as const;
const READ_ONLY = 1;
const AUTOCLEAR = 4;
const DIRECT_IO = 16;

/** Others may take the free device before we do. */
const ATTEMPTS = 20;

/** A loop device, which goes when it is disposed of, unless something else holds it by then. */
export interface LoopDevice extends Disposable {
  readonly path: string;
}

/**
 * FUS-FILES-ONE-UMOUNT: shows a file as a device: read-only, past the page cache (the file's pages
 * would be kept twice), and detached by the kernel when its last user closes it. losetup sets that
 * up in a second step only, and what is killed between the two leaves a device behind.
 */
export function loopDevice(file: string): LoopDevice {
  const backing = openSync(file, "r");
  try {
    for (let attempt = 1; ; attempt++) {
      const device = configure(backing, file, attempt < ATTEMPTS);
      if (device !== null) return device;
    }
  } finally {
    closeSync(backing);
  }
}

/** `null`: somebody else was faster. */
function configure(backing: number, file: string, mayRetry: boolean): LoopDevice | null {
  const path = freeDevice();
  const fd = attempt(path, () => openSync(path, "r"));
  const config = Buffer.alloc(CONFIG.size);
  config.writeUInt32LE(backing, CONFIG.fd);
  config.writeUInt32LE(READ_ONLY + AUTOCLEAR + DIRECT_IO, CONFIG.flags);
  config.write(file, CONFIG.name, CONFIG.nameBytes);
  try {
    ioctl(fd, LOOP_CONFIGURE, config);
  } catch (error) {
    closeSync(fd);
    if (codeOf(error) === "EBUSY" && mayRetry) return null;
    throw problem(path, error);
  }
  return { path, [Symbol.dispose]: () => closeSync(fd) };
}

function freeDevice(): string {
  const control = attempt(CONTROL, () => openSync(CONTROL, "r+"));
  try {
    return `/dev/loop${ioctl(control, LOOP_CTL_GET_FREE, null)}`;
  } catch (error) {
    throw problem(CONTROL, error);
  } finally {
    closeSync(control);
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT:
    "is not there: load the module with 'modprobe loop', or give the container its loop devices",
  EPERM: "may not be used here: start the container with '--privileged'",
  EINVAL: "does not know how to be set up in one step: Linux 5.8 or newer is needed",
};

function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw problem(path, error);
  }
}

function problem(path: string, error: unknown): ImageBackupError {
  const code = codeOf(error);
  const text = `${path} ${problems[code] ?? `cannot be used: ${code}`}`;
  return new ImageBackupError("SYSTEM", text, {}, { cause: error });
}
