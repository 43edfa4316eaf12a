/**
 * The kernel's side of FUSE as data: operations, structs, constants. Rules FUS-… are in spec/fuse.md.
 * Both machines we run on (x86-64, arm64) are little-endian, and so is everything here.
 */
import { constants } from "node:os";

/** FUS-REPLY-ERROR: the errors a reply may carry, by name. */
export interface Errno {
  readonly name: string;
  readonly number: number;
}

const errno = (name: keyof typeof constants.errno): Errno => ({
  name,
  number: constants.errno[name],
});

export const EACCES = errno("EACCES");
export const EINTR = errno("EINTR");
export const EINVAL = errno("EINVAL");
export const EIO = errno("EIO");
export const EISDIR = errno("EISDIR");
export const ENOENT = errno("ENOENT");
export const ENOSYS = errno("ENOSYS");
export const ENOTDIR = errno("ENOTDIR");
export const ENOTTY = errno("ENOTTY");
export const ENXIO = errno("ENXIO");
export const EPROTO = errno("EPROTO");
export const EROFS = errno("EROFS");

type Kind = "u16" | "u32" | "i32" | "u64" | "i64";
const WIDTH: Readonly<Record<Kind, number>> = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

export interface Field<F extends string = string> {
  readonly name: F;
  readonly kind: Kind;
  readonly at: number;
}

/** A C struct of the ABI; its fields follow one another without implied padding. */
export interface Struct<F extends string = string> {
  readonly size: number;
  readonly fields: readonly Field<F>[];
  readonly field: Readonly<Record<F, Field>>;
}

function struct<const T extends Readonly<Record<string, Kind>>>(
  kinds: T,
): Struct<keyof T & string> {
  type Name = keyof T & string;
  const fields: Field<Name>[] = [];
  let size = 0;
  for (const [name, kind] of Object.entries(kinds) as [Name, Kind][]) {
    fields.push({ name, kind, at: size });
    size += WIDTH[kind];
  }
  const field = Object.fromEntries(fields.map((one) => [one.name, one])) as Record<Name, Field>;
  return { size, fields, field };
}

// FUS-REQ-HEADER, FUS-REPLY-LENGTH: struct fuse_in_header, struct fuse_out_header.
export const IN_HEADER = struct({
  len: "u32",
  opcode: "u32",
  unique: "u64",
  nodeid: "u64",
  uid: "u32",
  gid: "u32",
  pid: "u32",
  extensions: "u16",
  padding: "u16",
});
export const OUT_HEADER = struct({ len: "u32", error: "i32", unique: "u64" });

// FUS-INIT-VERSION, FUS-INIT-FLAGS: the part of fuse_init_in that every kernel sends.
export const INIT_IN = struct({ major: "u32", minor: "u32", maxReadahead: "u32", flags: "u32" });
export const INIT_OUT = struct({
  major: "u32",
  minor: "u32",
  maxReadahead: "u32",
  flags: "u32",
  maxBackground: "u16",
  congestionThreshold: "u16",
  maxWrite: "u32",
  timeGranularity: "u32",
  maxPages: "u16",
  mapAlignment: "u16",
  flags2: "u32",
  unused0: "u32",
  unused1: "u64",
  unused2: "u64",
  unused3: "u64",
});

// FUS-ATTR: struct fuse_attr, and the two replies that carry one.
const ATTR_FIELDS = {
  ino: "u64",
  size: "u64",
  blocks: "u64",
  atime: "i64",
  mtime: "i64",
  ctime: "i64",
  atimeNanoseconds: "u32",
  mtimeNanoseconds: "u32",
  ctimeNanoseconds: "u32",
  mode: "u32",
  nlink: "u32",
  uid: "u32",
  gid: "u32",
  rdev: "u32",
  blksize: "u32",
  attrFlags: "u32",
} as const;
export const ATTR_OUT = struct({
  attrValid: "u64",
  attrValidNanoseconds: "u32",
  dummy: "u32",
  ...ATTR_FIELDS,
});
export const ENTRY_OUT = struct({
  nodeid: "u64",
  generation: "u64",
  entryValid: "u64",
  attrValid: "u64",
  entryValidNanoseconds: "u32",
  attrValidNanoseconds: "u32",
  ...ATTR_FIELDS,
});

const GETATTR_IN = struct({ flags: "u32", dummy: "u32", handle: "u64" });
export const OPEN_IN = struct({ flags: "u32", openFlags: "u32" });
export const OPEN_OUT = struct({ handle: "u64", openFlags: "u32", padding: "u32" });
export const READ_IN = struct({
  handle: "u64",
  offset: "u64",
  size: "u32",
  readFlags: "u32",
  lockOwner: "u64",
  flags: "u32",
  padding: "u32",
});
export const LSEEK_IN = struct({ handle: "u64", offset: "u64", whence: "u32", padding: "u32" });
export const LSEEK_OUT = struct({ offset: "u64" });
export const ACCESS_IN = struct({ mask: "u32", padding: "u32" });
export const STATFS_OUT = struct({
  blocks: "u64",
  blocksFree: "u64",
  blocksAvailable: "u64",
  files: "u64",
  filesFree: "u64",
  blockSize: "u32",
  nameLength: "u32",
  fragmentSize: "u32",
  padding: "u32",
  spare0: "u64",
  spare1: "u64",
  spare2: "u64",
});
/** FUS-DIRENT: the name follows, then zeros up to a multiple of DIRENT_ALIGN. */
export const DIRENT = struct({ ino: "u64", next: "u64", nameLength: "u32", type: "u32" });
export const DIRENT_ALIGN = 8;

/** Who answers an operation: our handler, nobody, an empty success, or always the same error. */
type Answer = "handler" | "silence" | "done" | Errno;

export interface Operation {
  readonly opcode: number;
  readonly name: string;
  readonly answer: Answer;
  /** FUS-REQ-BODY: what the body begins with; the arguments of refused operations are not read. */
  readonly body: Struct | null;
  /** FUS-REQ-NAME: the body is one name. */
  readonly named: boolean;
}

const operation = (
  opcode: number,
  name: string,
  answer: Answer,
  body: Struct | "name" | null = null,
): Operation => ({
  opcode,
  name,
  answer,
  body: body === "name" ? null : body,
  named: body === "name",
});

/** Every operation of FUSE 7.45. FUS-READ-ONLY: what would change anything is refused with EROFS. */
export const OPERATIONS: readonly Operation[] = [
  operation(1, "LOOKUP", "handler", "name"),
  operation(2, "FORGET", "silence"),
  operation(3, "GETATTR", "handler", GETATTR_IN),
  operation(4, "SETATTR", EROFS),
  operation(5, "READLINK", EINVAL),
  operation(6, "SYMLINK", EROFS),
  operation(8, "MKNOD", EROFS),
  operation(9, "MKDIR", EROFS),
  operation(10, "UNLINK", EROFS),
  operation(11, "RMDIR", EROFS),
  operation(12, "RENAME", EROFS),
  operation(13, "LINK", EROFS),
  operation(14, "OPEN", "handler", OPEN_IN),
  operation(15, "READ", "handler", READ_IN),
  operation(16, "WRITE", EROFS),
  operation(17, "STATFS", "handler"),
  operation(18, "RELEASE", "done"),
  operation(20, "FSYNC", "done"),
  operation(21, "SETXATTR", EROFS),
  // ENOSYS below: the kernel remembers it and does not ask again.
  operation(22, "GETXATTR", ENOSYS),
  operation(23, "LISTXATTR", ENOSYS),
  operation(24, "REMOVEXATTR", EROFS),
  operation(25, "FLUSH", ENOSYS),
  operation(26, "INIT", "handler", INIT_IN),
  operation(27, "OPENDIR", "handler", OPEN_IN),
  operation(28, "READDIR", "handler", READ_IN),
  operation(29, "RELEASEDIR", "done"),
  operation(30, "FSYNCDIR", "done"),
  operation(31, "GETLK", ENOSYS),
  operation(32, "SETLK", ENOSYS),
  operation(33, "SETLKW", ENOSYS),
  operation(34, "ACCESS", "handler", ACCESS_IN),
  operation(35, "CREATE", EROFS),
  // FUS-KILLED: who is killed is found without it.
  operation(36, "INTERRUPT", ENOSYS),
  operation(37, "BMAP", ENOSYS),
  operation(38, "DESTROY", "done"),
  operation(39, "IOCTL", ENOTTY),
  operation(40, "POLL", ENOSYS),
  operation(41, "NOTIFY_REPLY", "silence"),
  operation(42, "BATCH_FORGET", "silence"),
  operation(43, "FALLOCATE", EROFS),
  operation(44, "READDIRPLUS", ENOSYS),
  operation(45, "RENAME2", EROFS),
  operation(46, "LSEEK", "handler", LSEEK_IN),
  operation(47, "COPY_FILE_RANGE", EROFS),
  operation(48, "SETUPMAPPING", ENOSYS),
  operation(49, "REMOVEMAPPING", ENOSYS),
  operation(50, "SYNCFS", ENOSYS),
  operation(51, "TMPFILE", EROFS),
  operation(52, "STATX", ENOSYS),
];

/** FUS-INIT-VERSION: the kernel's INIT reply has its present size from 7.23 on; we speak up to 7.38. */
export const MAJOR = 7;
export const OLDEST_MINOR = 23;
export const NEWEST_MINOR = 38;

/** FUS-INIT-FLAGS: what we ask for where the kernel offers it. */
export const INIT_FLAGS = {
  /** Without it buffered reads fall to 0.64 of their speed. */
  ASYNC_READ: 2 ** 0,
  /** Without it a loop device with direct I/O falls to 0.33. */
  ASYNC_DIO: 2 ** 15,
  PARALLEL_DIROPS: 2 ** 18,
  MAX_PAGES: 2 ** 22,
} as const;

/** FUS-INIT-LIMITS: 128 pages of 4 KiB measured best (256: 1.28, 128: 1.49 of libfuse's speed). */
export const MAX_PAGES = 128;
export const MAX_READ = MAX_PAGES * 4096;
export const MAX_WRITE = 4096;
export const MAX_READAHEAD = 8 * 2 ** 20;
export const MAX_BACKGROUND = 64;
export const CONGESTION_THRESHOLD = 48;
/** FUS-REQ-BUFFER: the kernel asks for 8 KiB and for MAX_WRITE + 80 bytes at least. */
export const REQUEST_BUFFER = 16384;

/** FUS-CACHE: the image does not change while it is mounted. */
export const CACHE_SECONDS = 3600;
export const FOPEN_KEEP_CACHE = 2;

/** FUS-LSEEK: the only two whences the kernel passes on. */
export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

export const ROOT_NODE = 1;
/** The files follow one another from here. */
export const FIRST_FILE_NODE = 2;
export const S_IFDIR = 0o40000;
export const S_IFREG = 0o100000;
export const DT_DIR = 4;
export const DT_REG = 8;
/** FUS-READ-ONLY: the part of open's flags that says read, write or both; 0 is read. */
export const O_ACCMODE = 3;
export const W_OK = 2;
export const X_OK = 1;
/** `st_blocks` counts in these, whatever the block size. */
export const STAT_BLOCK = 512;
