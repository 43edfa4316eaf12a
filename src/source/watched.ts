import { fstatSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import type { FileSource } from "./file.ts";
import type { ByteSource, ReadsNow } from "./source.ts";

/** What the file was like when its image was laid out. */
export interface FileState {
  readonly size: number;
  readonly mtimeNs: bigint;
  /** Taken once, by who lays the image out: a thread that starts while a disk hangs must not wait. */
  readonly head: Head;
}

/** The hash of a file's first bytes; `null` where they cannot be had. */
export type Head = bigint | null;

/** Every image begins with what tells it from others: sizes, counts, a checksum of those. */
const HEAD_BYTES = 4096;

/** A look costs 4 us, a read from the page cache less than one: not at each of them. */
const LOOK_EVERY_MS = 100;

/**
 * An image's file that is read for hours. Where somebody writes another image over it, the bitmap
 * in memory no longer describes it, and every byte would be a wrong one: reads then fail. A file
 * that has only become shorter, and begins as before, is read as far as it goes. One that is
 * replaced by another of its name is none of ours: the old one is there as long as it is open.
 */
export function watched(source: FileSource, before: FileState): ByteSource {
  const isCut = (size: bigint) => size < before.size && isSame(before.head, headOf(source, before));
  let looked = -Infinity;
  let isChanged = false;
  const requireUnchanged = () => {
    const now = performance.now();
    if (now - looked >= LOOK_EVERY_MS) {
      looked = now;
      const { size, mtimeNs } = fstatSync(source.fd, { bigint: true });
      isChanged = mtimeNs !== before.mtimeNs && !isCut(size);
    }
    if (isChanged) throw changed(source.name);
  };
  return {
    name: source.name,
    size: source.size,
    async read(into, at) {
      requireUnchanged();
      await source.read(into, at);
    },
    async readPieces(pieces, at) {
      requireUnchanged();
      await source.readPieces(pieces, at);
    },
    ...(source.now && { now: guarded(source.now, requireUnchanged) }),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

/** `size`: the file's when its image was laid out. */
export function headOf(source: FileSource, { size }: Pick<FileState, "size">): Head {
  const bytes = new Uint8Array(Math.min(HEAD_BYTES, size));
  try {
    source.readSync(bytes, 0);
    return Bun.hash.xxHash3(bytes);
  } catch {
    return null;
  }
}

/** What cannot be read is not known to have changed: who reads it is told why. */
const isSame = (a: Head, b: Head): boolean => a === null || b === null || a === b;

function guarded(now: ReadsNow, requireUnchanged: () => void): ReadsNow {
  return {
    read(into, at) {
      requireUnchanged();
      now.read(into, at);
    },
    readPieces(pieces, at) {
      requireUnchanged();
      now.readPieces(pieces, at);
    },
  };
}

export function changed(name: string): ImageBackupError {
  return new ImageBackupError(
    "CHANGED",
    `${name}: was written to since it was mounted, so that nobody knows what it holds: unmount it, and mount it again`,
  );
}
