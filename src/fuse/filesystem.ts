import {
  ACCESS_IN,
  ATTR_OUT,
  CACHE_SECONDS,
  DIRENT,
  DIRENT_ALIGN,
  DT_DIR,
  DT_REG,
  EACCES,
  EINVAL,
  EIO,
  EISDIR,
  ENOENT,
  ENOSYS,
  ENOTDIR,
  ENTRY_OUT,
  ENXIO,
  EROFS,
  FILE_NODE,
  FOPEN_KEEP_CACHE,
  LSEEK_IN,
  LSEEK_OUT,
  O_ACCMODE,
  OPEN_IN,
  OPEN_OUT,
  READ_IN,
  ROOT_NODE,
  S_IFDIR,
  S_IFREG,
  SEEK_DATA,
  SEEK_HOLE,
  STAT_BLOCK,
  STATFS_OUT,
  W_OK,
  X_OK,
} from "./abi.ts";
import type { Outcome, ReplyBuffer } from "./reply.ts";
import { argument, nameOf, type Request } from "./request.ts";
import type { ServedFile } from "./served-file.ts";

type Handler = (
  file: ServedFile,
  request: Request,
  reply: ReplyBuffer,
) => Outcome | Promise<Outcome>;

const DIRECTORY_MODE = 0o555;
const READ_BITS = 0o444;
const NANOSECONDS = 1_000_000_000n;
const NAME_MAX = 255;

function times(file: ServedFile) {
  const nanoseconds = (ns: bigint) => Number(((ns % NANOSECONDS) + NANOSECONDS) % NANOSECONDS);
  const seconds = (ns: bigint) => Number((ns - BigInt(nanoseconds(ns))) / NANOSECONDS);
  return {
    atime: seconds(file.atimeNs),
    mtime: seconds(file.mtimeNs),
    ctime: seconds(file.ctimeNs),
    atimeNanoseconds: nanoseconds(file.atimeNs),
    mtimeNanoseconds: nanoseconds(file.mtimeNs),
    ctimeNanoseconds: nanoseconds(file.ctimeNs),
  };
}

/** FUS-ATTR: the directory may be listed by all; the file has its image's owner and read bits. */
function attributes(file: ServedFile, node: number) {
  const shared = {
    ino: node,
    attrValid: CACHE_SECONDS,
    uid: file.uid,
    gid: file.gid,
    blksize: file.blockSize,
    ...times(file),
  };
  if (node === ROOT_NODE) return { ...shared, mode: S_IFDIR + DIRECTORY_MODE, nlink: 2 };
  return {
    ...shared,
    size: file.size,
    blocks: Math.ceil(file.storedBytes / STAT_BLOCK),
    mode: S_IFREG + (file.mode & READ_BITS),
    nlink: 1,
  };
}

const lookup: Handler = (file, request, reply) => {
  if (request.node !== ROOT_NODE) return ENOTDIR;
  // Compared as bytes: a name that is no UTF-8 must not match by way of replacement characters.
  if (Buffer.compare(nameOf(request), Buffer.from(file.name)) !== 0) return ENOENT;
  return reply.put(ENTRY_OUT, {
    nodeid: FILE_NODE,
    entryValid: CACHE_SECONDS,
    ...attributes(file, FILE_NODE),
  });
};

const getattr: Handler = (file, request, reply) =>
  reply.put(ATTR_OUT, attributes(file, request.node));

const open: Handler = (_file, request, reply) => {
  if (request.node !== FILE_NODE) return EISDIR;
  if ((argument(request, OPEN_IN.field.flags) & O_ACCMODE) !== 0) return EROFS;
  return reply.put(OPEN_OUT, { openFlags: FOPEN_KEEP_CACHE });
};

const opendir: Handler = (_file, request, reply) =>
  request.node === ROOT_NODE ? reply.put(OPEN_OUT, {}) : ENOTDIR;

/** FUS-READ-FULL: all that was asked for up to the file's end, or an error. */
const read: Handler = (file, request, reply) => {
  if (request.node !== FILE_NODE) return EISDIR;
  const offset = argument(request, READ_IN.field.offset);
  const size = argument(request, READ_IN.field.size);
  if (size > reply.payload.length) return EINVAL;
  const wanted = Math.max(0, Math.min(size, file.size - offset));
  if (wanted === 0) return 0;
  const whole = (got: number) => (got === wanted ? wanted : EIO);
  const got = file.read(reply.payload.subarray(0, wanted), offset);
  return typeof got === "number" ? whole(got) : got.then(whole);
};

/** FUS-DIRENT: `.`, `..`, the file; a cookie is the number of entries up to and with its own. */
const readdir: Handler = (file, request, reply) => {
  if (request.node !== ROOT_NODE) return ENOTDIR;
  const first = argument(request, READ_IN.field.offset);
  const room = Math.min(argument(request, READ_IN.field.size), reply.payload.length);
  const entries = [
    { name: ".", ino: ROOT_NODE, type: DT_DIR },
    { name: "..", ino: ROOT_NODE, type: DT_DIR },
    { name: file.name, ino: FILE_NODE, type: DT_REG },
  ];
  let end = 0;
  for (let i = first; i < entries.length; i++) {
    const entry = entries[i];
    if (entry === undefined) break;
    const name = Buffer.from(entry.name);
    const next = end + Math.ceil((DIRENT.size + name.length) / DIRENT_ALIGN) * DIRENT_ALIGN;
    if (next > room) break;
    reply.put(
      DIRENT,
      { ino: entry.ino, next: i + 1, nameLength: name.length, type: entry.type },
      end,
    );
    reply.payload.fill(0, end + DIRENT.size, next).set(name, end + DIRENT.size);
    end = next;
  }
  return end;
};

const statfs: Handler = (file, _request, reply) =>
  reply.put(STATFS_OUT, {
    blocks: Math.ceil(file.size / file.blockSize),
    files: 1,
    blockSize: file.blockSize,
    fragmentSize: file.blockSize,
    nameLength: NAME_MAX,
  });

const access: Handler = (_file, request) => {
  const mask = argument(request, ACCESS_IN.field.mask);
  if ((mask & W_OK) !== 0) return EROFS;
  return request.node === FILE_NODE && (mask & X_OK) !== 0 ? EACCES : 0;
};

/** FUS-LSEEK: ENXIO past the last byte and, for data, past the last data. */
const lseek: Handler = (file, request, reply) => {
  if (request.node !== FILE_NODE) return EINVAL;
  const offset = argument(request, LSEEK_IN.field.offset);
  const whence = argument(request, LSEEK_IN.field.whence);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return EINVAL;
  if (offset >= file.size) return ENXIO;
  const found = whence === SEEK_DATA ? file.nextData(offset) : file.nextHole(offset);
  return found === null ? ENXIO : reply.put(LSEEK_OUT, { offset: found });
};

const HANDLERS: Readonly<Record<string, Handler>> = {
  LOOKUP: lookup,
  GETATTR: getattr,
  OPEN: open,
  OPENDIR: opendir,
  READ: read,
  READDIR: readdir,
  STATFS: statfs,
  ACCESS: access,
  LSEEK: lseek,
};

/** The outcome of a request (all but INIT); null: FUS-FORGET-SILENT, no reply may be sent. */
export function answer(
  file: ServedFile,
  request: Request,
  reply: ReplyBuffer,
): Outcome | Promise<Outcome> | null {
  const known = request.operation.answer;
  if (known === "silence") return null;
  if (request.node !== ROOT_NODE && request.node !== FILE_NODE && known === "handler")
    return ENOENT;
  if (known === "done") return 0;
  if (known !== "handler") return known;
  return HANDLERS[request.operation.name]?.(file, request, reply) ?? ENOSYS;
}
