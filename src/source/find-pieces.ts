import { closeSync, constants, existsSync, openSync, readdirSync, readSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { detectCompression, HEAD_SIZE } from "./compression.ts";
import { firstSuffixes, isExtension, isOfSequence, isSuffix, successors } from "./piece-names.ts";

/** The files of a split image, in order. */
export interface Pieces {
  /** Of the whole: the path up to the dot before the suffixes. */
  readonly path: string;
  readonly files: readonly string[];
  /** Names that the next piece may have; none after the last that the numbering has. */
  readonly next: readonly string[];
}

/** FOG takes the suffix from the first piece when all are written: `d1p1.img`, `d1p1.img.001`. */
const FOG_FIRST = "000";
const FOG_SECOND = "001";

/** What an image begins with: a file that begins so is no later piece of another. */
const IMAGE_MAGICS = ["partclone-image", "\0ntfsclone-image"];
/** A compressed file's magic, and what says how it is compressed. */
const SAME_BYTES = 4;

/**
 * The pieces that `path` stands for: one of them, or what their names begin with (with or without
 * the last dot). `null`: a file of its own, or nothing at all. Throws CORRUPT where one is missing.
 */
export function findPieces(path: string): Pieces | null {
  const folder = dirname(path);
  if (!existsSync(path)) return sequenceOf(folder, basename(path).replace(/\.$/, ""));
  const [, prefix = "", suffix = ""] = /^(.+)\.([^.]+)$/.exec(basename(path)) ?? [];
  const found = isSuffix(suffix) ? sequenceWith(folder, prefix, suffix) : null;
  return found ?? firstOfFog(folder, basename(path));
}

/** The sequence that the file `prefix.suffix` is a piece of. */
function sequenceWith(folder: string, prefix: string, suffix: string): Pieces | null {
  const name = `${prefix}.${suffix}`;
  const suffixes = suffixesIn(folder, prefix);
  const first = firstSuffixes(suffix).find((each) => suffixes.has(each));
  const isFog = suffixes.has(FOG_SECOND) && existsSync(join(folder, prefix));
  if (first !== undefined || isFog) {
    const found = first
      ? checked(folder, prefix, first, suffixes, [`${prefix}.${first}`])
      : checked(folder, prefix, FOG_FIRST, suffixes, [prefix]);
    return found?.files.includes(join(folder, name)) ? found : null;
  }
  // Alone it is a file of its own, as is one of several that are numbered and whole.
  const isWhole = beginsFile(join(folder, name));
  if (isWhole || isExtension(suffix) || !hasNeighbour(suffixes, suffix)) return null;
  throw missing(folder, prefix, firstSuffixes(suffix).at(-1) ?? "", suffix);
}

function firstOfFog(folder: string, name: string): Pieces | null {
  // Most files have no such neighbour, and some are in a directory of thousands.
  if (
    !existsSync(join(folder, `${name}.${FOG_SECOND}`)) ||
    existsSync(join(folder, `${name}.${FOG_FIRST}`))
  )
    return null;
  return checked(folder, name, FOG_FIRST, suffixesIn(folder, name), [name]);
}

/** The sequence whose names begin with `prefix`. */
function sequenceOf(folder: string, prefix: string): Pieces | null {
  const suffixes = suffixesIn(folder, prefix);
  const pieces = [...suffixes].filter((suffix) => !isExtension(suffix));
  const firsts = pieces.filter((suffix) => /^(?:a+|0+)$/.test(suffix)).sort();
  const [first, second] = firsts;
  if (first !== undefined && second !== undefined) {
    const both = `${prefix}.${first} and ${prefix}.${second}`;
    throw new ImageBackupError(
      "SYSTEM",
      `${join(folder, prefix)}: ${both} begin two sequences of pieces: name the one that is meant`,
    );
  }
  if (first !== undefined) {
    return checked(folder, prefix, first, suffixes, [`${prefix}.${first}`]);
  }
  const [there] = pieces.filter((suffix) => hasNeighbour(suffixes, suffix)).sort();
  if (there === undefined) return null;
  throw missing(folder, prefix, firstSuffixes(there).at(-1) ?? "", there);
}

/** Follows the sequence from its first piece, whose name `files` has already. */
function checked(
  folder: string,
  prefix: string,
  first: string,
  suffixes: ReadonlySet<string>,
  files: string[],
): Pieces | null {
  refuseHexadecimal(folder, prefix, first, suffixes);
  const taken = new Set([first]);
  let next = successors(first, first);
  for (;;) {
    const there = next.filter((suffix) => suffixes.has(suffix));
    const [suffix, other] = there;
    if (suffix === undefined) break;
    if (other !== undefined) {
      const both = `${prefix}.${suffix} and ${prefix}.${other}`;
      throw new ImageBackupError(
        "CORRUPT",
        `${join(folder, prefix)}: both ${both} may be the next piece: take away the one that is not`,
      );
    }
    const second = join(folder, `${prefix}.${suffix}`);
    if (taken.size === 1 && beginsAnew(join(folder, files[0] ?? ""), second)) return null;
    taken.add(suffix);
    files.push(`${prefix}.${suffix}`);
    next = successors(first, suffix);
  }
  const rest = [...suffixes].filter(
    (suffix) => !taken.has(suffix) && isOfSequence(first, suffix) && !isForeign(suffixes, suffix),
  );
  const [behind] = rest.sort();
  if (behind !== undefined) throw missing(folder, prefix, next[0] ?? "", behind);
  return {
    path: join(folder, prefix),
    files: files.map((name) => join(folder, name)),
    next: next.map((suffix) => `${prefix}.${suffix}`),
  };
}

/** The pieces of `split -x`, taken in the order of decimal numbers, would be another image. */
function refuseHexadecimal(
  folder: string,
  prefix: string,
  first: string,
  suffixes: ReadonlySet<string>,
): void {
  const [last, next] = [first.replace(/0$/, "9"), first.replace(/0$/, "a")];
  if (last === first || !suffixes.has(last) || !existsSync(join(folder, `${prefix}.${next}`)))
    return;
  const text = `${prefix}.${next} follows ${prefix}.${last}: pieces with hexadecimal numbers are not read; join them with cat`;
  throw new ImageBackupError("UNSUPPORTED", `${join(folder, prefix)}: ${text}`);
}

const isForeign = (suffixes: ReadonlySet<string>, suffix: string): boolean =>
  isExtension(suffix) && !hasNeighbour(suffixes, suffix);

function missing(folder: string, prefix: string, gap: string, there: string): ImageBackupError {
  const text = `the piece ${prefix}.${gap} is missing, though ${prefix}.${there} is there`;
  return new ImageBackupError("CORRUPT", `${join(folder, prefix)}: ${text}`);
}

/** Is the one before it, or the one after it, there? */
function hasNeighbour(suffixes: ReadonlySet<string>, suffix: string): boolean {
  const follows = (a: string, b: string) =>
    firstSuffixes(a).some((first) => successors(first, a).includes(b));
  return [...suffixes].some((each) => follows(each, suffix) || follows(suffix, each));
}

/** What follows `prefix.` in the names of the folder's files, where that may be a piece's suffix. */
function suffixesIn(folder: string, prefix: string): ReadonlySet<string> {
  const beginning = `${prefix}.`;
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith(beginning));
    return new Set(names.map((name) => name.slice(beginning.length)).filter(isSuffix));
  } catch {
    return new Set(); // A directory that may be passed through but not listed.
  }
}

/** The first bytes of a file; none where it cannot be read: whoever reads it is told. */
function headOf(path: string): Buffer {
  const head = Buffer.alloc(HEAD_SIZE);
  let fd: number | null = null;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return head.subarray(0, readSync(fd, head, 0, head.length, 0));
  } catch {
    return head.subarray(0, 0);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

const beginsImage = (head: Buffer): boolean =>
  IMAGE_MAGICS.some((magic) => head.toString("latin1", 0, magic.length) === magic);

/** Does the file begin as an image, or as a compressed file? */
function beginsFile(path: string): boolean {
  const head = headOf(path);
  return beginsImage(head) || detectCompression(head) !== null;
}

/**
 * Is the second file no piece, but whole like the first? Data of all kinds can follow in a split
 * image, so that only what begins as the first file does is taken for another one.
 */
function beginsAnew(first: string, second: string): boolean {
  const head = headOf(second);
  if (beginsImage(head)) return true;
  const before = headOf(first);
  const begins =
    head.length >= SAME_BYTES &&
    head.subarray(0, SAME_BYTES).equals(before.subarray(0, SAME_BYTES));
  return begins && detectCompression(head) !== null;
}
