import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";

/** More than any of these files has: a hostile one must not fill the memory. */
const MOST_BYTES = 2 ** 20;

/** The first bytes of one of the folder's small files; `null`: it is not there, or not readable. */
export function readBytes(folder: string, name: string, most = MOST_BYTES): Buffer | null {
  let fd: number;
  try {
    // A pipe of that name must not make us wait.
    fd = openSync(join(folder, name), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    const bytes = Buffer.alloc(Math.min(most, fstatSync(fd).size));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

export function readText(folder: string, name: string, most?: number): string | null {
  return readBytes(folder, name, most)?.toString("utf8") ?? null;
}

/** The words of each line that is no remark. */
export function readRows(folder: string, name: string): string[][] {
  return (readText(folder, name) ?? "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => line.split(/\s+/));
}

/** `KEY="value"` lines, as shells read them. */
export function readVariables(folder: string, name: string): ReadonlyMap<string, string> {
  const text = readText(folder, name) ?? "";
  const pairs = [...text.matchAll(/^(\w+)="?([^"\n]*)"?$/gm)];
  return new Map(pairs.map(([, key = "", value = ""]) => [key, value]));
}

/** `/dev/sda1` as the names of files have it: `sda1`; `/dev/vg/lv` is `vg-lv`. */
export const deviceName = (path: string): string =>
  path.replace(/^\/dev\/(?:mapper\/)?/, "").replaceAll("/", "-");
