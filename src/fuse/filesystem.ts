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
  FIRST_FILE_NODE,
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

/** The files of a mount, in their order in its only directory: never none. */
export type ServedFiles = readonly [ServedFile, ...ServedFile[]];

type Handler = (
  files: ServedFiles,
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

/** The file that a node stands for; undefined: the directory, or nothing at all. */
export const fileOf = (files: ServedFiles, node: number): ServedFile | undefined =>
  files[node - FIRST_FILE_NODE];

/** FUS-ATTR: the directory may be listed by all; a file has its image's owner and read bits. */
function attributes(files: ServedFiles, node: number) {
  const file = fileOf(files, node) ?? files[0];
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

const lookup: Handler = (files, request, reply) => {
  if (request.node !== ROOT_NODE) return ENOTDIR;
  const name = nameOf(request);
  // Compared as bytes: a name that is no UTF-8 must not match by way of replacement characters.
  const index = files.findIndex((file) => Buffer.compare(name, Buffer.from(file.name)) === 0);
  if (index < 0) return ENOENT;
  const node = FIRST_FILE_NODE + index;
  return reply.put(ENTRY_OUT, {
    nodeid: node,
    entryValid: CACHE_SECONDS,
    ...attributes(files, node),
  });
};

const getattr: Handler = (files, request, reply) =>
  reply.put(ATTR_OUT, attributes(files, request.node));

const open: Handler = (_files, request, reply) => {
  if (request.node === ROOT_NODE) return EISDIR;
  if ((argument(request, OPEN_IN.field.flags) & O_ACCMODE) !== 0) return EROFS;
  return reply.put(OPEN_OUT, { openFlags: FOPEN_KEEP_CACHE });
};

const opendir: Handler = (_files, request, reply) =>
  request.node === ROOT_NODE ? reply.put(OPEN_OUT, {}) : ENOTDIR;

const whole = (got: number, wanted: number): Outcome => (got === wanted ? wanted : EIO);

/** FUS-READ-FULL: all that was asked for up to the file's end, or an error. */
const read: Handler = (files, request, reply) => {
  const file = fileOf(files, request.node);
  if (!file) return EISDIR;
  const offset = argument(request, READ_IN.field.offset);
  const size = argument(request, READ_IN.field.size);
  if (size > reply.payload.length) return EINVAL;
  const wanted = Math.max(0, Math.min(size, file.size - offset));
  if (wanted === 0) return 0;
  const got = file.read(reply.room(wanted), offset);
  return typeof got === "number" ? whole(got, wanted) : got.then((one) => whole(one, wanted));
};

/** FUS-DIRENT: `.`, `..`, the files; a cookie is the number of entries up to and with its own. */
const readdir: Handler = (files, request, reply) => {
  if (request.node !== ROOT_NODE) return ENOTDIR;
  const first = argument(request, READ_IN.field.offset);
  const room = Math.min(argument(request, READ_IN.field.size), reply.payload.length);
  const entries = [
    { name: ".", ino: ROOT_NODE, type: DT_DIR },
    { name: "..", ino: ROOT_NODE, type: DT_DIR },
    ...files.map(({ name }, index) => ({ name, ino: FIRST_FILE_NODE + index, type: DT_REG })),
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

const statfs: Handler = (files, _request, reply) => {
  const [{ blockSize }] = files;
  return reply.put(STATFS_OUT, {
    blocks: files.reduce((sum, { size }) => sum + Math.ceil(size / blockSize), 0),
    files: files.length,
    blockSize,
    fragmentSize: blockSize,
    nameLength: NAME_MAX,
  });
};

const access: Handler = (_files, request) => {
  const mask = argument(request, ACCESS_IN.field.mask);
  if ((mask & W_OK) !== 0) return EROFS;
  return request.node !== ROOT_NODE && (mask & X_OK) !== 0 ? EACCES : 0;
};

/** FUS-LSEEK: ENXIO past the last byte and, for data, past the last data. */
const lseek: Handler = async (files, request, reply) => {
  const file = fileOf(files, request.node);
  if (!file) return EINVAL;
  const offset = argument(request, LSEEK_IN.field.offset);
  const whence = argument(request, LSEEK_IN.field.whence);
  if (whence !== SEEK_DATA && whence !== SEEK_HOLE) return EINVAL;
  if (offset >= file.size) return ENXIO;
  const found = await (whence === SEEK_DATA ? file.nextData(offset) : file.nextHole(offset));
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
  files: ServedFiles,
  request: Request,
  reply: ReplyBuffer,
): Outcome | Promise<Outcome> | null {
  const known = request.operation.answer;
  if (known === "silence") return null;
  const isThere = request.node === ROOT_NODE || fileOf(files, request.node) !== undefined;
  if (!isThere && known === "handler") return ENOENT;
  if (known === "done") return 0;
  if (known !== "handler") return known;
  return HANDLERS[request.operation.name]?.(files, request, reply) ?? ENOSYS;
}
