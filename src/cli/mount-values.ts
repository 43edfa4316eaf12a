import { resolve } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { UsageError } from "./command.ts";

/** What the command line says, by the options' names. */
export type Values = Readonly<Record<string, unknown>>;

/** Options that say how to mount, and how messages call them. */
const OF_MOUNTS = {
  files: "--files",
  "ntfs-backup-boot": "--ntfs-backup-boot",
  debug_fuse: "-d",
  log: "--log",
  verify: "--verify",
  "index-dir": "--index-dir",
  "no-index-cache": "--no-index-cache",
} as const;

/** Throws where options about mounts make no sense. */
export function requireMountSense(values: Values): void {
  const { mountpoint, log, index, "index-dir": directory, "no-index-cache": isNone } = values;
  if (mountpoint === "") throw new UsageError("-m takes a directory");
  if (log === "") throw new UsageError("--log takes a file");
  if (directory === "") throw new UsageError("--index-dir takes a directory");
  if (directory !== undefined && isNone) {
    throw new UsageError("--index-dir and --no-index-cache exclude each other");
  }
  if (mountpoint !== undefined) {
    if (index) throw new UsageError("--index and -m exclude each other: -m makes the index itself");
    return;
  }
  for (const [name, called] of Object.entries(OF_MOUNTS)) {
    if (values[name] === undefined || values[name] === false) continue;
    if (name !== "index-dir") throw new UsageError(`${called} needs -m DIR`);
    if (!index) throw new UsageError(`${called} needs -m DIR or --index`);
  }
}

export function indexDirectoryOf(values: Values): string | null {
  if (values["no-index-cache"] === true) return null;
  const directory = values["index-dir"];
  return directory === undefined ? cacheDirectory() : resolve(String(directory));
}
