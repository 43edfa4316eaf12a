import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readSync,
  readvSync,
  type Stats,
} from "node:fs";
import { promisify } from "node:util";
import { ImageBackupError } from "../bytes/errors.ts";
import type { ByteSource, ReadsNow } from "./source.ts";

const readInPool = promisify(read);

/**
 * How a file is read. At once: 0.7 us each from the page cache, where a trip through the runtime's
 * thread pool costs 20. Aside: in that pool, by who must answer others while a disk hangs.
 */
export type Reading = "at once" | "aside";

/** A regular file. */
export class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly fd: number;
  readonly now?: ReadsNow;
  /** A descriptor that another thread opened stays open when this source is disposed. */
  #owned: boolean;
  /** The number of a closed descriptor is soon that of another file. */
  #isClosed = false;
  /** Until these have ended the descriptor stays open. */
  readonly #running = new Set<Promise<void>>();

  constructor(
    name: string,
    fd: number,
    size: number,
    owned: boolean,
    reading: Reading = "at once",
  ) {
    this.name = name;
    this.fd = fd;
    this.size = size;
    this.#owned = owned;
    if (reading === "aside") return;
    this.now = {
      read: (into, at) => this.readSync(into, at),
      readPieces: (pieces, at) => this.#readPiecesSync(pieces, at),
    };
  }

  async read(into: Uint8Array, at: number): Promise<void> {
    if (this.now) return this.readSync(into, at);
    await this.#counted(this.#readAside(into, at));
  }

  async #readAside(into: Uint8Array, at: number): Promise<void> {
    for (let done = 0; done < into.length; ) {
      this.#requireOpen();
      const rest = [into, done, into.length - done, at + done] as const;
      const { bytesRead } = await readInPool(this.fd, ...rest).catch((error) => {
        throw this.#unreadable(at + done, error);
      });
      if (bytesRead === 0) throw this.#tooShort(at, into.length);
      done += bytesRead;
    }
  }

  readSync(into: Uint8Array, at: number): void {
    this.#requireOpen();
    this.#fill(into, at);
  }

  #fill(into: Uint8Array, at: number): void {
    for (let done = 0; done < into.length; ) {
      const count = this.#readSome(into, done, at);
      if (count === 0) throw this.#tooShort(at, into.length);
      done += count;
    }
  }

  /** Reads what is behind the first `done` bytes of what is at `at`, or the beginning of that. */
  #readSome(into: Uint8Array, done: number, at: number): number {
    try {
      return readSync(this.fd, into, done, into.length - done, at + done);
    } catch (error) {
      throw this.#unreadable(at + done, error);
    }
  }

  async readPieces(pieces: readonly Uint8Array[], at: number): Promise<void> {
    if (this.now) return this.#readPiecesSync(pieces, at);
    await this.#counted(this.#readPiecesAside(pieces, at));
  }

  async #readPiecesAside(pieces: readonly Uint8Array[], at: number): Promise<void> {
    let pieceAt = at;
    for (const piece of pieces) {
      await this.#readAside(piece, pieceAt);
      pieceAt += piece.length;
    }
  }

  async #counted(reading: Promise<void>): Promise<void> {
    this.#running.add(reading);
    try {
      await reading;
    } finally {
      this.#running.delete(reading);
    }
  }

  #readPiecesSync(pieces: readonly Uint8Array[], at: number): void {
    this.#requireOpen();
    this.#fillPieces(pieces, at);
  }

  #fillPieces(pieces: readonly Uint8Array[], at: number): void {
    let skip = this.#readSomePieces(pieces, at);
    let pieceAt = at;
    for (const piece of pieces) {
      // A short readv is legal anywhere: read what is left of the pieces one by one.
      if (skip < piece.length) this.#fill(piece.subarray(skip), pieceAt + skip);
      skip = Math.max(0, skip - piece.length);
      pieceAt += piece.length;
    }
  }

  #readSomePieces(pieces: readonly Uint8Array[], at: number): number {
    try {
      return readvSync(this.fd, pieces, at);
    } catch (error) {
      throw this.#unreadable(at, error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#running.size > 0) await Promise.allSettled(this.#running);
    if (this.#owned) closeSync(this.fd);
    this.#owned = false;
    this.#isClosed = true;
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ImageBackupError("SYSTEM", `${this.name}: is closed`);
  }

  #unreadable(at: number, error: unknown): ImageBackupError {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return new ImageBackupError(
      "SYSTEM",
      `${this.name}: byte ${at} of the image cannot be read: ${readProblems[code] ?? message}`,
      { imageOffset: at },
      { cause: error },
    );
  }

  #tooShort(at: number, length: number): ImageBackupError {
    return new ImageBackupError(
      "SHORT_READ",
      `${this.name}: the image ends before bytes ${at} to ${at + length - 1}; it is truncated`,
      { imageOffset: at },
    );
  }
}

const readProblems: Readonly<Record<string, string>> = {
  EIO: "input/output error; the disk that holds it may be failing",
  ESTALE: "it is gone from its network file system",
  ENOTCONN: "the file system that holds it is gone",
};

/** Opens a regular file for reading, or says in one line why it cannot be. */
export function openFile(path: string, reading: Reading = "at once"): FileSource {
  let fd: number;
  try {
    // Non-blocking, so that opening a FIFO does not wait for its writer before it is refused.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw cannotOpen(path, error);
  }
  const stats = fstatSync(fd);
  if (!stats.isFile()) {
    closeSync(fd);
    const hint = stats.isDirectory() ? "; vclonezilla opens folders of images" : "";
    throw new ImageBackupError("SYSTEM", `${path}: is ${kindOf(stats)}, not an image file${hint}`);
  }
  return new FileSource(path, fd, stats.size, true, reading);
}

const openProblems: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied; read it as its owner or as root",
  ENOTDIR: "a part of the path is not a directory",
  ELOOP: "too many symbolic links",
};

function cannotOpen(path: string, error: unknown): ImageBackupError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new ImageBackupError(
    "SYSTEM",
    `${path}: ${openProblems[code] ?? message}`,
    {},
    {
      cause: error,
    },
  );
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a directory";
  if (stats.isFIFO()) return "a pipe";
  if (stats.isSocket()) return "a socket";
  return "a device";
}
