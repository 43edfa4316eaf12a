import { type BigIntStats, fstatSync, statSync } from "node:fs";
import { FileSource, openFile, type Reading } from "./file.ts";
import { findPieces } from "./find-pieces.ts";
import { openPieces, PiecesSource, type SharedPieces } from "./pieces.ts";
import type { ByteSource } from "./source.ts";
import { type FileState, headOf, watched } from "./watched.ts";

/** The bytes of an image as they are stored: in one file, or in pieces. */
export type StoredSource = FileSource | PiecesSource;

/** A stored image as plain data, for `reviveStored` in another thread of this process. */
export type SharedStored =
  | (FileState & { readonly name: string; readonly fd: number })
  | SharedPieces;

/**
 * Opens a regular file; or the pieces of a split image by any of them, or by what their names begin
 * with. Throws SYSTEM with what is wrong, CORRUPT where a piece is missing.
 */
export function openStored(path: string): StoredSource {
  const pieces = findPieces(path);
  return pieces ? openPieces(path, pieces) : openFile(path);
}

/** The name of the image's file; of a split one, without what tells its pieces. */
export function wholePath(path: string): string {
  return findPieces(path)?.path ?? path;
}

/** What the image's file, or its first piece, is like now. */
export function statusOf(source: StoredSource): BigIntStats {
  if (source instanceof FileSource) return fstatSync(source.fd, { bigint: true });
  return statSync(source.shared.pieces[0]?.path ?? "", { bigint: true });
}

/** `status`: as the file was before anything was read of it. */
export function shareStored(source: StoredSource, { mtimeNs }: BigIntStats): SharedStored {
  if (source instanceof PiecesSource) return source.shared;
  const { name, fd, size } = source;
  return { name, fd, size, mtimeNs, head: headOf(source, source) };
}

/** The same bytes in a thread that was sent `shared`; reads fail once they are written to. */
export function reviveStored(shared: SharedStored, reading?: Reading): ByteSource {
  if ("pieces" in shared) return new PiecesSource(shared, reading);
  // The thread that opened it owns the descriptor.
  const file = new FileSource(shared.name, shared.fd, shared.size, false, reading);
  return watched(file, shared);
}
