import { appendFileSync, closeSync, openSync } from "node:fs";
import { resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { systemLog, TAG } from "./system-log.ts";

type Log = (line: string) => void;

const OWNER_ONLY = 0o600;

/** Where a server says what goes wrong: the file of `--log`, or the system's log. */
export function serverLog(path: string | undefined): Log {
  return path === undefined ? systemLog : fileLog(resolve(path));
}

/**
 * Appends to a file, opened for each line: they are few, and whoever rotates the file, or unmounts
 * what it is on, finds it closed. Throws SYSTEM where it cannot be written to from the start.
 */
function fileLog(path: string): Log {
  try {
    closeSync(openSync(path, "a", OWNER_ONLY));
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    throw new ImageBackupError(
      "SYSTEM",
      `${path}: the log cannot be written: ${problems[code] ?? message}`,
      {},
      { cause: error },
    );
  }
  return (line) => {
    try {
      appendFileSync(path, `${new Date().toISOString()} ${TAG}: ${printable(line)}\n`);
    } catch {
      // A full disk must not end the mount, and the line is worth a second place.
      systemLog(line);
    }
  };
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: "its directory does not exist",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
  EROFS: "its file system is read-only",
};
