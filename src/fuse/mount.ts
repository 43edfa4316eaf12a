import { closeSync, openSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { MAX_READ } from "./abi.ts";
import * as libc from "./libc.ts";
import {
  checkDevice,
  codeOf,
  deviceError,
  FUSE_DEVICE,
  MOUNT_TYPE,
  SUBTYPE,
  unmountCommand,
  usableMountPoint,
  usersMayAllowOthers,
} from "./mount-point.ts";

export interface MountRequest {
  /** A directory: existing, empty, nothing mounted on it. */
  readonly mountPoint: string;
  /** What `mount` and `df` show as the source: the image's absolute path. */
  readonly source: string;
  /** Let other users in, as far as the file's mode does; false keeps them out in any case. */
  readonly allowOther?: boolean;
}

export type Unmounted = "unmounted" | "busy";

/** A mounted file system that waits for its INIT to be answered. */
export interface Mount {
  /** The descriptor of /dev/fuse; it blocks, and several threads may read from it. */
  readonly fd: number;
  /** Absolute, without symbolic links. */
  readonly mountPoint: string;
  /** FUS-MOUNT-OTHER: false: nobody but the mounting user gets in, not even root. */
  readonly allowOther: boolean;
  /** FUS-SIGNAL: takes the mount away unless something in it is in use. */
  unmount(): Unmounted | Promise<Unmounted>;
  /** Takes it out of sight at once; it ends when its last file is closed. */
  detach(): void | Promise<void>;
}

const ROOT_MODE = "40000";

/** FUS-MOUNT-NAME: a comma ends an option, and a backslash keeps it from doing so. */
export const escapeOption = (value: string): string => value.replace(/[\\,]/g, "\\$&");

/** FUS-INIT-LIMITS: max_read bounds replies also where pages are larger than 4 KiB. */
const commonOptions = (allowOther: boolean): string[] => [
  "default_permissions",
  `max_read=${MAX_READ}`,
  ...(allowOther ? ["allow_other"] : []),
];

const mountFailure = (mountPoint: string, error: unknown): ImageBackupError => {
  const code = codeOf(error);
  const advice =
    code === "EPERM"
      ? ": mounting is not permitted here; start the container with '--device /dev/fuse --cap-add SYS_ADMIN'"
      : code === "ENODEV"
        ? ": the kernel has no FUSE; load the module with 'modprobe fuse'"
        : `: ${code}`;
  return new ImageBackupError(
    "SYSTEM",
    `cannot mount on ${mountPoint}${advice}`,
    {},
    { cause: error },
  );
};

function mountAsRoot(mountPoint: string, source: string, allowOther: boolean): number {
  let fd: number;
  try {
    fd = openSync(FUSE_DEVICE, "r+");
  } catch (error) {
    throw deviceError(error);
  }
  const options = [
    `fd=${fd}`,
    `rootmode=${ROOT_MODE}`,
    `user_id=${process.geteuid?.() ?? 0}`,
    `group_id=${process.getegid?.() ?? 0}`,
    ...commonOptions(allowOther),
  ];
  const flags = libc.MS_RDONLY + libc.MS_NOSUID + libc.MS_NODEV;
  try {
    libc.mount(source, mountPoint, MOUNT_TYPE, flags, options.join(","));
  } catch (error) {
    closeSync(fd);
    throw mountFailure(mountPoint, error);
  }
  return fd;
}

/** fusermount3 is a setuid program that mounts for ordinary users. */
function fusermount(): string {
  const program = Bun.which("fusermount3") ?? Bun.which("fusermount");
  if (program !== null) return program;
  throw new ImageBackupError(
    "SYSTEM",
    "fusermount3 is not installed, and only root can mount without it: install the package fuse3",
  );
}

interface Finished {
  readonly ok: boolean;
  readonly message: string;
}

/** Runs a program, with `socket` as its descriptor 3. */
function runProgram(program: string, args: readonly string[], socket: number | null): Finished {
  const { exitCode, stderr } = Bun.spawnSync({
    cmd: [program, ...args],
    stdio: ["ignore", "ignore", "pipe", ...(socket === null ? [] : [socket])],
    env: { ...process.env, LC_ALL: "C", ...(socket === null ? {} : { _FUSE_COMMFD: "3" }) },
  });
  const lines = stderr?.toString().trim().split("\n") ?? [];
  const message = lines.map((line) => line.replace(/^\S*\/(\w+: )/, "$1")).join("; ");
  return { ok: exitCode === 0, message: message || `exit status ${exitCode}` };
}

function mountAsUser(mountPoint: string, source: string, allowOther: boolean): number {
  checkDevice();
  const options = [
    "ro",
    "nosuid",
    "nodev",
    `fsname=${escapeOption(source)}`,
    `subtype=${SUBTYPE}`,
    ...commonOptions(allowOther),
  ];
  const sockets = libc.socketPair();
  try {
    const args = ["-o", options.join(","), "--", mountPoint];
    const { message } = runProgram(fusermount(), args, sockets.second);
    // With our copy of its end closed, a socket without a message says that none will come.
    closeSync(sockets.second);
    const fd = libc.receiveDescriptor(sockets.first);
    if (fd !== null) return fd;
    throw new ImageBackupError("SYSTEM", `cannot mount on ${mountPoint}: ${message}`);
  } finally {
    closeSync(sockets.first);
  }
}

const unmountFailure = (mountPoint: string, why: string): ImageBackupError =>
  new ImageBackupError(
    "SYSTEM",
    `cannot unmount ${mountPoint}: ${why}; try: ${unmountCommand(mountPoint)}`,
  );

/** EINVAL: somebody else has unmounted it, which is as good. */
function unmountAsRoot(mountPoint: string, flags: number): Unmounted {
  try {
    libc.umount2(mountPoint, flags + libc.UMOUNT_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === "EBUSY") return "busy";
    if (codeOf(error) !== "EINVAL") throw unmountFailure(mountPoint, codeOf(error));
  }
  return "unmounted";
}

/** How it ended; null: the program could not do it at all. */
function unmountResult({ ok, message }: Finished): Unmounted | null {
  if (ok || message.includes("not found in") || message.includes("not mounted")) return "unmounted";
  return message.includes("busy") ? "busy" : null;
}

/**
 * fusermount3 wants /etc/mtab, which minimal systems do not have; umount of util-linux, setuid as
 * well, takes away its caller's FUSE mounts without it.
 */
function unmountAsUser(mountPoint: string, isLazy: boolean): Unmounted {
  const flags = isLazy ? ["-u", "-z"] : ["-u"];
  const first = runProgram(fusermount(), [...flags, "--", mountPoint], null);
  const result = unmountResult(first);
  if (result !== null) return result;
  const umount = Bun.which("umount");
  if (umount !== null) {
    const args = [...(isLazy ? ["-l"] : []), "--", mountPoint];
    const second = unmountResult(runProgram(umount, args, null));
    if (second !== null) return second;
  }
  throw unmountFailure(mountPoint, first.message);
}

const isRoot = (): boolean => process.geteuid?.() === 0;

/** FUS-SIGNAL: takes away what is mounted there, unless something in it is in use. */
export const unmountFrom = (mountPoint: string): Unmounted =>
  isRoot() ? unmountAsRoot(mountPoint, 0) : unmountAsUser(mountPoint, false);

/** Takes what is mounted there out of sight at once; it ends when its last file is closed. */
export function detachFrom(mountPoint: string): void {
  if (isRoot()) unmountAsRoot(mountPoint, libc.MNT_DETACH);
  else unmountAsUser(mountPoint, true);
}

/** Mounts: with mount(2) as root, through fusermount3 otherwise. Throws SYSTEM with what to do. */
export function mountFuse(request: MountRequest): Mount {
  const mountPoint = usableMountPoint(request.mountPoint);
  const allowOther = (request.allowOther ?? true) && (isRoot() || usersMayAllowOthers());
  const mountNow = isRoot() ? mountAsRoot : mountAsUser;
  const fd = mountNow(mountPoint, request.source, allowOther);
  return {
    fd,
    mountPoint,
    allowOther,
    unmount: () => unmountFrom(mountPoint),
    detach: () => detachFrom(mountPoint),
  };
}
