import {
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  type Stats,
  statSync,
  writevSync,
} from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { grouped } from "../bytes/sizes.ts";
import { programPath } from "../files/drivers.ts";
import { discard as discardAll } from "../fuse/libc.ts";

export interface TargetOptions {
  /** Bytes of the partition. */
  readonly size: number;
  /** Write over what is there. */
  readonly force: boolean;
  /** Tell a device that it may forget all it holds, first. */
  readonly discard: boolean;
}

/** What a partition is restored to. */
export interface Target extends Disposable {
  /**
   * Byte of the partition before which all that the image has is written, and nothing behind it;
   * `null`: what was written may be lost.
   */
  readonly written: number | null;
  /** Writes the pieces one after the other from byte `at` of the partition. */
  write(pieces: readonly Uint8Array[], at: number): void;
  /** Gives a file the partition's size, and waits until everything is on the disk. */
  finish(): void;
}

const SECTOR = 512;
/** As partclone does: a partition holds what its files' permissions protect. */
const OWNER_ONLY = 0o600;

/**
 * Opens a file, which is made if it is not there, or a block device. Throws SYSTEM where it must
 * not or cannot be written to, before anything of it is changed.
 */
export function openTarget(path: string, options: TargetOptions): Target {
  const stats = statusOf(path);
  if (stats?.isBlockDevice()) return openDevice(path, stats, options);
  if (stats && !stats.isFile()) throw problem(path, "is neither a file nor a block device");
  return openFile(path, stats, options);
}

/** Is `path` the file at `other`? */
export function isSameFile(path: string, other: string): boolean {
  const [a, b] = [statusOf(path), statusOf(other)];
  return a !== null && b !== null && a.dev === b.dev && a.ino === b.ino;
}

function statusOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null; // Opening it says what is wrong.
  }
}

function openFile(
  path: string,
  stats: Stats | null,
  { size, force, discard }: TargetOptions,
): Target {
  if (discard)
    throw problem(path, "is a file, which --discard has no use for: its holes stay holes");
  if (stats && stats.size > 0 && !force) {
    throw problem(
      path,
      `is there already, with ${grouped(stats.size)} bytes; --force writes over it`,
    );
  }
  const { O_WRONLY, O_CREAT, O_TRUNC } = constants;
  const fd = attempt(path, () => openSync(path, O_WRONLY | O_CREAT | O_TRUNC, OWNER_ONLY));
  return targetOn(path, fd, () => ftruncateSync(fd, size));
}

function openDevice(path: string, stats: Stats, { size, force, discard }: TargetOptions): Target {
  const room = deviceBytes(stats);
  if (room < size) {
    const needed = `the partition needs ${grouped(size)}`;
    throw problem(path, `is too small: it has ${grouped(room)} bytes, ${needed}`);
  }
  if (!force) requireEmpty(path);
  const { O_RDWR, O_EXCL } = constants;
  // Exclusive: refused while it is mounted, swapped to, or a part of something else in use.
  const fd = attempt(path, () => openSync(path, O_RDWR | O_EXCL));
  try {
    if (discard) attempt(path, () => discardAll(fd, room));
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return targetOn(path, fd, () => {});
}

function deviceBytes({ rdev }: Stats): number {
  const major = (rdev >>> 8) & 0xfff;
  const minor = (rdev & 0xff) + ((rdev >>> 12) & 0xfff00);
  return Number(readFileSync(`/sys/dev/block/${major}:${minor}/size`, "utf8")) * SECTOR;
}

/** What blkid's status says: nothing that it knows was found. */
const NOTHING_FOUND = 2;

/** Refuses a device that holds a file system, a partition table, or anything else blkid knows. */
function requireEmpty(path: string): void {
  const blkid = programPath("blkid");
  if (blkid === null) {
    const advice = "install util-linux, or write over it with --force";
    throw problem(path, `may hold a file system, and there is no blkid to find out; ${advice}`);
  }
  const probe = Bun.spawnSync([blkid, "--probe", "--output", "export", "--", path]);
  if (probe.exitCode === NOTHING_FOUND) return;
  const found = /^(?:TYPE|PTTYPE)=(.*)$/m.exec(probe.stdout.toString())?.[1] ?? "something";
  throw problem(path, `holds ${found} already; --force writes over it`);
}

function targetOn(path: string, fd: number, end: () => void): Target {
  let written: number | null = 0;
  const put = (pieces: readonly Uint8Array[], at: number): number => {
    const count = attempt(path, () => writevSync(fd, pieces, at));
    written = at + count;
    return count;
  };
  return {
    get written() {
      return written;
    },
    write(pieces, at) {
      let done = put(pieces, at);
      // Short only where the disk is full or a signal came: what is left, piece by piece.
      let pieceAt = 0;
      for (const piece of pieces) {
        const pieceEnd = pieceAt + piece.length;
        while (done < pieceEnd) done += put([piece.subarray(done - pieceAt)], at + done);
        pieceAt = pieceEnd;
      }
    },
    finish() {
      attempt(path, end);
      const flushed = written;
      // A disk that fails tells so only here, of whatever it was given before.
      written = null;
      attempt(path, () => fsyncSync(fd));
      written = flushed;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

const problems: Readonly<Record<string, string>> = {
  EBUSY: "is in use: mounted, swapped to, or part of another device; end that first",
  EACCES: "permission denied; run this as root, or choose another place",
  EROFS: "is read-only",
  ENOENT: "is in a directory that is not there",
  ENOSPC: "has no space left",
  EFBIG: "would be larger than its file system allows",
  EDQUOT: "would exceed the quota",
  EOPNOTSUPP: "cannot discard; leave out --discard",
  EIO: "input/output error; the disk may be failing",
};

function attempt<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw problem(path, problems[code] ?? message, error);
  }
}

const problem = (path: string, text: string, cause?: unknown): ImageBackupError =>
  new ImageBackupError("SYSTEM", `${path}: ${text}`, {}, { cause });
