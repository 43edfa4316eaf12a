import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { findPieces } from "../source/find-pieces.ts";
import { isSuffix } from "../source/piece-names.ts";
import { readImageName } from "./image-names.ts";

/** A file of the folder, or several that are pieces of one, which may be an image. */
export interface Candidate {
  /** Without what tells its pieces. */
  readonly name: string;
  /** Absolute paths, in order. */
  readonly files: readonly string[];
  /** Why it cannot be put together; `null`: it can. */
  readonly problem: string | null;
}

/** The regular files of a folder, by their names. */
export function filesOf(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => isFile(join(folder, name)))
    .sort();
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false; // A link to nothing.
  }
}

/** Puts the pieces among the files together. */
export function candidatesAmong(folder: string, names: readonly string[]): Candidate[] {
  const taken = new Set<string>();
  return names.flatMap((name) => {
    if (taken.has(name)) return [];
    const candidate = candidateOf(folder, name, names);
    for (const file of candidate.files) taken.add(basename(file));
    return [candidate];
  });
}

function candidateOf(folder: string, name: string, names: readonly string[]): Candidate {
  const path = join(folder, name);
  try {
    const found = findPieces(path);
    if (!found) return { name, files: [path], problem: null };
    return { name: basename(found.path), files: found.files, problem: null };
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    const stem = name.replace(/\.[^.]*$/, "");
    // Of a broken sequence all pieces have the same problem.
    const files = names.filter((each) => each === name || isPieceOf(stem, each));
    const isImage = readImageName(stem) !== null;
    return {
      name: isImage ? stem : name,
      files: (isImage ? files : [name]).map((each) => join(folder, each)),
      problem: error.message,
    };
  }
}

const isPieceOf = (stem: string, name: string): boolean =>
  name.startsWith(`${stem}.`) && isSuffix(name.slice(stem.length + 1));
