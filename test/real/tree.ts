import { createHash } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** Sizes around the edges of a block, and one file of many blocks. */
const SIZES: Readonly<Record<string, number>> = {
  empty: 0,
  one: 1,
  "block less one": 4095,
  block: 4096,
  "block and one": 4097,
  "größer als alles andere": 2_500_003,
  "deep/er/still/here": 70_000,
};
const SMALL_FILES = 60;

/** Files deleted again: they leave free blocks with old data between the used ones. */
export const DELETED = "deleted";

/** Fills a directory with files whose every byte follows from their name. */
export function writeTree(root: string, links: boolean): void {
  for (const [name, size] of Object.entries(SIZES)) writeFile(root, name, size);
  for (let i = 0; i < SMALL_FILES; i++) {
    writeFile(root, `kept/${i}`, 1000 + 700 * i);
    writeFile(root, `${DELETED}/${i}`, 30_000 - 400 * i);
  }
  if (links) symlinkSync("deep/er", join(root, "link"));
}

export function deleteSome(root: string): void {
  rmSync(join(root, DELETED), { recursive: true });
}

function writeFile(root: string, name: string, size: number): void {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  const bytes = createHash("shake256", { outputLength: Math.max(size, 1) })
    .update(name)
    .digest();
  writeFileSync(path, bytes.subarray(0, size), { mode: name.length % 2 === 0 ? 0o640 : 0o755 });
}

/** Every name below a directory with its kind, mode, size and content, in order. */
export function manifest(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .sort()
    .map((name) => `${describe(join(root, name))} ${name}`);
}

function describe(path: string): string {
  const stat = lstatSync(path);
  const mode = stat.mode.toString(8);
  if (stat.isSymbolicLink()) return `${mode} -> ${readlinkSync(path)}`;
  if (!stat.isFile()) return mode;
  return `${mode} ${stat.size} ${createHash("sha256").update(readFileSync(path)).digest("hex")}`;
}
