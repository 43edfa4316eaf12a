import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";

const OTHERS_MAY_WRITE = 0o022;
const OTHERS_MAY_ANYTHING = 0o077;

/**
 * Opens a file that nobody but this user can have written; throws for any other. `flags`: of open;
 * a symbolic link is not followed, and a pipe does not make it wait.
 */
export function openOwn(path: string, flags: number = constants.O_RDONLY): number {
  const fd = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  const stats = fstatSync(fd);
  const isOwn = stats.uid === process.geteuid?.() && (stats.mode & OTHERS_MAY_ANYTHING) === 0;
  if (stats.isFile() && isOwn) return fd;
  closeSync(fd);
  throw new Error(`${path} is not this user's alone`);
}

/** Makes the directory where there is none; throws if others may put files there. */
export function requireOwnDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stats = lstatSync(directory);
  const isOwn = stats.uid === process.geteuid?.() && (stats.mode & OTHERS_MAY_WRITE) === 0;
  if (!stats.isDirectory() || !isOwn) throw new Error(`${directory} is not this user's alone`);
}

/** Removes all but the `most` newest of the files whose names have this in them. */
export function removeOldest(directory: string, suffix: string, most: number): void {
  const files = readdirSync(directory)
    .filter((name) => name.includes(suffix))
    .map((name) => join(directory, name))
    .map((path) => ({ path, written: statSync(path).mtimeMs }))
    .sort((a, b) => b.written - a.written);
  for (const { path } of files.slice(most)) rmSync(path, { force: true });
}

/** Does what is only worth the time that it saves: nothing that goes wrong is worth a word. */
export function quietly<T>(work: () => T): T | null {
  try {
    return work();
  } catch {
    return null;
  }
}
