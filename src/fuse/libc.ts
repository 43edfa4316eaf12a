/** The few system calls that node:fs does not have. */
import { ptr, read } from "bun:ffi";
import { constants } from "node:os";
import { openCLibrary } from "../bytes/c-library.ts";

const O_CLOEXEC = 0x80000;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;

const open = () =>
  openCLibrary({
    mount: { args: ["ptr", "ptr", "ptr", "u64", "ptr"], returns: "i32" },
    umount2: { args: ["ptr", "i32"], returns: "i32" },
    pipe2: { args: ["ptr", "i32"], returns: "i32" },
    socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
    ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
    recvmsg: { args: ["i32", "ptr", "i32"], returns: "i64" },
    __errno_location: { args: [], returns: "ptr" },
  });

let opened: ReturnType<typeof open> | null = null;

/** Opened at the first call, so that importing this module never fails. */
function libc(): ReturnType<typeof open> {
  opened ??= open();
  return opened;
}

/** A system call that failed, with the error's name as `code`, as node:fs has it. */
export class SystemCallError extends Error {
  override readonly name = "SystemCallError";
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

function lastError(call: string): SystemCallError {
  const location = libc().__errno_location();
  const number = location === null ? 0 : read.i32(location, 0);
  const code = Object.entries(constants.errno).find(([, value]) => value === number)?.[0];
  return new SystemCallError(call, code ?? `errno ${number}`);
}

const text = (value: string) => Buffer.from(`${value}\0`);

export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_REMOUNT = 32;
export const MS_BIND = 4096;

export function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  options: string,
): void {
  const result = libc().mount(text(source), text(target), text(type), BigInt(flags), text(options));
  if (result !== 0) throw lastError("mount");
}

export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

export function umount2(target: string, flags: number): void {
  if (libc().umount2(text(target), flags) !== 0) throw lastError("umount2");
}

/** What the call returned; throws its error. */
export function ioctl(
  fd: number,
  request: number,
  argument: NodeJS.ArrayBufferView | null,
): number {
  const result = libc().ioctl(fd, BigInt(request), argument === null ? null : ptr(argument));
  if (result < 0) throw lastError("ioctl");
  return result;
}

const BLKDISCARD = 0x1277;

/** Tells a block device that its first `bytes` bytes are no longer needed. */
export function discard(fd: number, bytes: number): void {
  ioctl(fd, BLKDISCARD, new BigUint64Array([0n, BigInt(bytes)]));
}

/** A pair of descriptors that no child inherits unless it is given one. */
export interface Pair {
  readonly first: number;
  readonly second: number;
}

function pair(fill: (into: Int32Array) => number, call: string): Pair {
  const descriptors = new Int32Array(2);
  if (fill(descriptors) !== 0) throw lastError(call);
  const [first, second] = descriptors;
  if (first === undefined || second === undefined) throw lastError(call);
  return { first, second };
}

/** `first` is the end to read, `second` the end to write. */
export const pipe = (): Pair => pair((into) => libc().pipe2(ptr(into), O_CLOEXEC), "pipe2");

export const socketPair = (): Pair =>
  pair((into) => libc().socketpair(AF_UNIX, SOCK_STREAM + O_CLOEXEC, 0, ptr(into)), "socketpair");

const CONTROL_BYTES = 64;

/** The descriptor sent over `socket`; null where the sender closed it without sending one. */
export function receiveDescriptor(socket: number): number | null {
  const byte = new Uint8Array(1);
  const control = new Uint8Array(CONTROL_BYTES);
  const vector = new BigUint64Array([BigInt(ptr(byte)), 1n]);
  // struct msghdr: name, its length, vector, its length, control, its length, flags.
  const message = new BigUint64Array(7);
  message.set([BigInt(ptr(vector)), 1n, BigInt(ptr(control)), BigInt(CONTROL_BYTES)], 2);
  for (;;) {
    const received = Number(libc().recvmsg(socket, ptr(message), MSG_CMSG_CLOEXEC));
    if (received === 0) return null;
    if (received > 0) break;
    const error = lastError("recvmsg");
    if (error.code !== "EINTR") throw error;
  }
  // struct cmsghdr: length u64, level i32, type i32; then the descriptor.
  const header = new DataView(control.buffer);
  const isDescriptor =
    header.getInt32(8, true) === SOL_SOCKET && header.getInt32(12, true) === SCM_RIGHTS;
  return isDescriptor ? header.getInt32(16, true) : null;
}
