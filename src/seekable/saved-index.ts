import { closeSync, constants, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { openOwn, quietly, removeOldest, requireOwnDirectory } from "../source/own-files.ts";
import { type StoredSource, statusOf } from "../source/stored.ts";
import type { SeekableCodec } from "./codec.ts";
import { IndexFile, type Records } from "./index-file.ts";

/** Changes with the form of an index file. */
const FORMAT = "vpartclone index 2";
const SUFFIX = ".index";
/** Images whose indexes are kept. */
const MOST_FILES = 64;
/** Bytes at both ends of the compressed data that must be the same: besides sizes and times. */
const EDGE = 64 * 1024;
/** A file that was written this short ago may be written again without its time telling. */
export const SETTLED_MS = 2000;

/** An index's file, with what it holds already. */
export interface SavedIndex {
  readonly file: IndexFile;
  readonly records: Records;
  /** Where it is kept once it is complete; `null`: nowhere. */
  readonly path: string | null;
  /** The pass is complete: later mounts need none. */
  keep(): void;
  /** It is of no use. */
  remove(): void;
  close(): void;
}

/** What tells compressed data, and how they are indexed, apart from all others. */
export async function indexKey(source: StoredSource, codec: SeekableCodec): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const at of [0, Math.max(0, source.size - EDGE)]) {
    const edge = new Uint8Array(Math.min(EDGE, source.size));
    await source.read(edge, at);
    hasher.update(edge);
  }
  const states = filesOf(source).map(({ size, mtimeNs }) => `${size} ${mtimeNs}`);
  const { name, version, spacing } = codec;
  return JSON.stringify([FORMAT, name, version, spacing, states, hasher.digest("hex")]);
}

/** Milliseconds until data written to again would show in their time; 0: they would now. */
export function unsettledMs(source: StoredSource): number {
  const written = filesOf(source).map(({ mtimeNs }) => Number(mtimeNs / 1_000_000n));
  return Math.max(0, Math.max(...written) + SETTLED_MS - Date.now());
}

const filesOf = (source: StoredSource) =>
  "shared" in source ? source.shared.pieces : [statusOf(source)];

/**
 * The index under this key in `directory`: complete, as far as an earlier pass came, or empty. A
 * temporary one where there is no directory, or it is not the user's own. Throws SYSTEM.
 */
export function openIndex(directory: string | null, key: string): SavedIndex {
  try {
    if (directory !== null) return openSaved(directory, key);
  } catch {
    // Without it the pass is made again next time: no reason to refuse.
  }
  return openTemporary(key);
}

/** Files that this process writes: nobody's leftovers. */
const written = new Set<string>();

function openSaved(directory: string, key: string): SavedIndex {
  requireOwnDirectory(directory);
  const name = new Bun.CryptoHasher("sha256").update(key).digest("hex").slice(0, 32);
  const path = join(directory, name + SUFFIX);
  const complete = openKnown(path, key);
  if (complete && complete.records.outSize !== null) {
    return {
      ...complete,
      path,
      keep: () => {},
      remove: () => void quietly(() => rmSync(path, { force: true })),
      close: closing(complete.file),
    };
  }
  const own = `${path}.${process.pid}`;
  if (written.has(own)) throw new Error("this process indexes the same data already");
  const opened = openLeftover(path, own, key) ?? createdAt(own, key);
  written.add(own);
  const forget = () => written.delete(own);
  let here = own;
  const saved: SavedIndex = {
    ...opened,
    path,
    keep() {
      // Somebody may have emptied the cache meanwhile.
      quietly(() => {
        renameSync(own, path);
        here = path;
      });
      quietly(() => {
        for (const leftover of leftoversOf(path)) rmSync(leftover, { force: true });
      });
      quietly(() => removeOldest(directory, SUFFIX, MOST_FILES));
      forget();
    },
    remove() {
      quietly(() => rmSync(here, { force: true }));
      forget();
    },
    close() {
      forget();
      closeSync(opened.file.fd);
    },
  };
  // Its pass came to the end, but its process did not come to keep it.
  if (opened.records.outSize !== null) saved.keep();
  return saved;
}

const closing =
  ({ fd }: IndexFile) =>
  () =>
    closeSync(fd);

function openKnown(path: string, key: string) {
  let fd: number;
  try {
    fd = openOwn(path, constants.O_RDWR);
  } catch {
    return null;
  }
  const known = IndexFile.open(fd, key);
  if (known === null) closeSync(fd);
  return known;
}

function createdAt(path: string, key: string) {
  rmSync(path, { force: true });
  const { O_RDWR, O_CREAT, O_EXCL } = constants;
  const fd = openSync(path, O_RDWR | O_CREAT | O_EXCL, 0o600);
  return {
    file: IndexFile.create(fd, key),
    records: { entries: [], outSize: null, isProved: false },
  };
}

/** What came furthest of what was left behind, as the file `own`. */
function openLeftover(index: string, own: string, key: string) {
  for (const leftover of leftoversOf(index)) {
    // Another process may have taken it meanwhile.
    quietly(() => renameSync(leftover, own));
    const known = openKnown(own, key);
    if (known) return known;
  }
  return null;
}

/** The files of processes that ended before their pass did, first the one that came furthest. */
function leftoversOf(index: string): string[] {
  const directory = dirname(index);
  const isLeft = (path: string) => {
    const pid = Number(path.slice(index.length + 1));
    return Number.isInteger(pid) && (pid === process.pid || !isAlive(pid));
  };
  return readdirSync(directory)
    .map((file) => join(directory, file))
    .filter((path) => path.startsWith(`${index}.`) && isLeft(path))
    .toSorted((a, b) => sizeOf(b) - sizeOf(a));
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

function openTemporary(key: string): SavedIndex {
  const path = join(tmpdir(), `vpartclone-${crypto.randomUUID()}${SUFFIX}`);
  try {
    const created = createdAt(path, key);
    rmSync(path);
    const close = closing(created.file);
    return { ...created, path: null, keep: () => {}, remove: () => {}, close };
  } catch (error) {
    const { message } = error as Error;
    throw new ImageBackupError(
      "SYSTEM",
      `${tmpdir()}: an index cannot be written there: ${message}; give --index-dir DIR, or set TMPDIR`,
      {},
      { cause: error },
    );
  }
}
