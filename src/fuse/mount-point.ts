import { accessSync, constants, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { shellQuoted } from "../bytes/shell.ts";
import { mountAt } from "./mount-table.ts";

export const FUSE_DEVICE = "/dev/fuse";
const FUSE_CONF = "/etc/fuse.conf";
export const SUBTYPE = "vpartclone";
/** The type of our mounts in the mount table. */
export const MOUNT_TYPE = `fuse.${SUBTYPE}`;

/** What the clients of a dead server get: first the one, then the other. */
const SERVER_GONE: ReadonlySet<string> = new Set(["ENOTCONN", "ECONNABORTED"]);

export const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : "unexpected";

const system = (message: string, cause?: unknown): ImageBackupError =>
  new ImageBackupError("SYSTEM", message, {}, { cause });

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist: create the directory first",
  ENOTDIR: "is not a directory: a mount point must be one",
  EACCES: "is not accessible to you: choose a directory of your own",
  ELOOP: "is a symbolic link that leads nowhere: choose a directory",
};

function unusable(path: string, error: unknown): ImageBackupError {
  const code = codeOf(error);
  return system(`mount point ${path} ${REASONS[code] ?? `cannot be used: ${code}`}`, error);
}

/** How the person who runs us takes a mount away, as a command to copy. */
export const unmountCommand = (path: string, isRoot = process.geteuid?.() === 0): string =>
  `${isRoot ? "umount" : "fusermount3 -u"} ${shellQuoted(path)}`;

/** The path without symbolic links; on a stale mount the last part cannot be resolved any more. */
export function canonicalMountPoint(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (!SERVER_GONE.has(codeOf(error))) throw unusable(path, error);
    return join(realpathSync(dirname(resolve(path))), basename(resolve(path)));
  }
}

/** The names in a directory, or the code of the error. stat would answer from cached attributes. */
function list(path: string): readonly string[] | Error {
  try {
    return readdirSync(path);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** FUS-MOUNT-POINT, FUS-MOUNT-STALE: the absolute path of a directory that can be mounted on. */
export function usableMountPoint(path: string): string {
  const absolute = canonicalMountPoint(path);
  const mounted = mountAt(absolute);
  const names = list(absolute);
  if (names instanceof Error && SERVER_GONE.has(codeOf(names))) {
    throw system(
      `mount point ${path} holds a mount whose server is gone: clear it with: ${unmountCommand(absolute)}`,
      names,
    );
  }
  if (mounted !== null) {
    const { source, type } = mounted;
    // What is none of ours may be the system's.
    const advice = type === MOUNT_TYPE ? `, or first: ${unmountCommand(absolute)}` : "";
    throw system(
      `mount point ${path} has ${source} (${type}) mounted on it already: choose another${advice}`,
    );
  }
  if (names instanceof Error) throw unusable(path, names);
  if (!statSync(absolute).isDirectory()) throw system(`mount point ${path} ${REASONS.ENOTDIR}`);
  if (names.length > 0) {
    throw system(
      `mount point ${path} is not empty: its files would be hidden; choose an empty one`,
    );
  }
  return absolute;
}

const DEVICE_REASONS: Readonly<Record<string, string>> = {
  ENOENT:
    "does not exist: load the module with 'modprobe fuse', or start the container with '--device /dev/fuse'",
  EACCES:
    "is not open to you: as root, 'chmod 0666 /dev/fuse' makes it what udev makes it elsewhere",
  EPERM:
    "may not be opened here: start the container with '--device /dev/fuse --cap-add SYS_ADMIN'",
  ENODEV: "has no driver: load the module with 'modprobe fuse'",
  ENXIO: "has no driver: load the module with 'modprobe fuse'",
};

/** FUS-MOUNT-DEVICE: why /dev/fuse cannot be opened, and what to do. */
export function deviceError(error: unknown, device = FUSE_DEVICE): ImageBackupError {
  const code = codeOf(error);
  return system(`${device} ${DEVICE_REASONS[code] ?? `cannot be opened: ${code}`}`, error);
}

/** fusermount3 opens the device with its caller's rights, so that these must suffice. */
export function checkDevice(device = FUSE_DEVICE): void {
  try {
    accessSync(device, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw deviceError(error, device);
  }
}

/** FUS-MOUNT-OTHER: does this /etc/fuse.conf let ordinary users open their mounts to others? */
export const allowsOthers = (configuration: string): boolean =>
  /^\s*user_allow_other\s*(#.*)?$/m.test(configuration);

export function usersMayAllowOthers(): boolean {
  try {
    return allowsOthers(readFileSync(FUSE_CONF, "utf8"));
  } catch {
    // Without the file, or where it is not readable, fusermount3 permits nothing.
    return false;
  }
}
