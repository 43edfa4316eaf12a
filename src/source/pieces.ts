import { fstatSync } from "node:fs";
import { basename, resolve } from "node:path";
import { cut } from "../bytes/cut.ts";
import { ImageBackupError } from "../bytes/errors.ts";
import { type FileSource, openFile, type Reading } from "./file.ts";
import type { Pieces } from "./find-pieces.ts";
import type { ByteSource } from "./source.ts";
import { changed, type FileState, headOf, watched } from "./watched.ts";

/** One file of a split image, as it was when the image was opened. */
interface Piece extends FileState {
  readonly path: string;
  readonly dev: bigint;
  readonly ino: bigint;
}

/** A split image as plain data: a source of it can be made in any thread. */
export interface SharedPieces {
  /** For messages: the path as the user gave it. */
  readonly name: string;
  readonly pieces: readonly Piece[];
  /** What would follow the last byte, and why it does not. */
  readonly ending: string;
}

/** An image may have thousands of pieces, a mount many images, a process 1024 descriptors. */
const MOST_OPEN = 4;

/** Opens the files that `findPieces` found; `name` is for messages. Throws CORRUPT on odd sizes. */
export function openPieces(name: string, found: Pieces): PiecesSource {
  const pieces = found.files.map(pieceAt);
  requireEqual(pieces);
  return new PiecesSource({ name, pieces, ending: endingOf(pieces, found) });
}

function pieceAt(path: string): Piece {
  // Says what is wrong with one that is no file, or may not be read.
  const source = openFile(path);
  try {
    const { dev, ino, mtimeNs } = fstatSync(source.fd, { bigint: true });
    const { size } = source;
    return { path: resolve(path), size, dev, ino, mtimeNs, head: headOf(source, source) };
  } finally {
    void source[Symbol.asyncDispose]();
  }
}

/** All but the last have the same size: one that was cut would shift all that follows. */
function requireEqual(pieces: readonly Piece[]): void {
  const [first] = pieces;
  if (!first) return;
  const odd = pieces.find(({ size }, index) => {
    const isLast = index === pieces.length - 1;
    // `split -n` gives the last piece what is left over: fewer bytes than there are pieces.
    return isLast ? size >= first.size + pieces.length : size !== first.size;
  });
  if (!odd) return;
  const text = `has ${odd.size} bytes, where the first piece has ${first.size}: one of them is damaged`;
  throw new ImageBackupError("CORRUPT", `${odd.path}: ${text}`);
}

function endingOf(pieces: readonly Piece[], { next }: Pieces): string {
  const [first] = pieces;
  const last = pieces.at(-1);
  const [following] = next;
  const isCut = `its last piece, ${basename(last?.path ?? "")}, is cut short`;
  if (following === undefined || last?.size !== first?.size) return isCut;
  const isMissing = `the piece ${next.join(" or ")} is missing`;
  return pieces.length === 1 ? `${isMissing}, or ${isCut}` : isMissing;
}

/** The bytes of many files, one after the other, of which only a few are open at any time. */
export class PiecesSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly ending: string;
  readonly shared: SharedPieces;
  readonly #reading: Reading | undefined;
  /** Byte offset of each piece, and behind them the size. */
  readonly #starts: Float64Array;
  /** By the piece's number; the one that was used last stands last. */
  readonly #open = new Map<number, ByteSource>();

  constructor(shared: SharedPieces, reading?: Reading) {
    this.#reading = reading;
    this.shared = shared;
    this.name = shared.name;
    this.ending = shared.ending;
    this.#starts = new Float64Array(shared.pieces.length + 1);
    let start = 0;
    shared.pieces.forEach(({ size }, index) => {
      start += size;
      this.#starts[index + 1] = start;
    });
    this.size = start;
  }

  read(into: Uint8Array, at: number): Promise<void> {
    return this.readPieces([into], at);
  }

  async readPieces(pieces: readonly Uint8Array[], at: number): Promise<void> {
    const length = pieces.reduce((sum, { length }) => sum + length, 0);
    if (at + length > this.size) throw this.#tooShort(at, length);
    let rest = pieces;
    let from = at;
    for (let index = this.#pieceAt(at); rest.length > 0; index++) {
      const room = this.#start(index + 1) - from;
      const [part, behind] = cut(rest, room);
      if (part.length > 0) await this.#readFrom(index, part, from);
      rest = behind;
      from += room;
    }
  }

  async #readFrom(index: number, pieces: readonly Uint8Array[], at: number): Promise<void> {
    const start = this.#start(index);
    const [only, ...others] = pieces;
    try {
      const source = this.#source(index);
      if (only && others.length === 0) await source.read(only, at - start);
      else await source.readPieces(pieces, at - start);
    } catch (error) {
      if (!(error instanceof ImageBackupError)) throw error;
      const place = { imageOffset: start + (error.imageOffset ?? 0) };
      throw new ImageBackupError(error.code, error.message, place, { cause: error });
    }
  }

  #start(index: number): number {
    return this.#starts[index] ?? this.size;
  }

  /** The piece that holds byte `at`. */
  #pieceAt(at: number): number {
    let low = 0;
    let high = this.shared.pieces.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#start(middle) <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #source(index: number): ByteSource {
    const source = this.#open.get(index) ?? this.#openPiece(index);
    this.#open.delete(index);
    this.#open.set(index, source);
    const [oldest] = this.#open;
    if (oldest && this.#open.size > MOST_OPEN) {
      this.#open.delete(oldest[0]);
      void oldest[1][Symbol.asyncDispose]();
    }
    return source;
  }

  /** Must be the file that it was: another of its name has other bytes. */
  #openPiece(index: number): ByteSource {
    const piece = this.shared.pieces[index];
    if (!piece) throw new RangeError(`there is no piece ${index}`);
    const source = openFile(piece.path, this.#reading);
    if (!isSame(source, piece)) {
      void source[Symbol.asyncDispose]();
      throw changed(piece.path);
    }
    return watched(source, piece);
  }

  #tooShort(at: number, length: number): ImageBackupError {
    return new ImageBackupError(
      "SHORT_READ",
      `${this.name}: the image ends before bytes ${at} to ${at + length - 1}: ${this.ending}`,
      { imageOffset: at },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map((source) => source[Symbol.asyncDispose]()));
  }
}

function isSame(source: FileSource, piece: Piece): boolean {
  const { dev, ino, size, mtimeNs } = fstatSync(source.fd, { bigint: true });
  const isCut = size < piece.size;
  return dev === piece.dev && ino === piece.ino && (isCut || mtimeNs === piece.mtimeNs);
}
