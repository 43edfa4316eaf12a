import { afterAll } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "vpartclone-source-"));
let count = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A path in a folder that lasts as long as the test file runs. */
export function scratchPath(name: string): string {
  return join(folder, `${count++}-${name}`);
}

export function scratchFile(name: string, bytes: Uint8Array): string {
  const path = scratchPath(name);
  writeFileSync(path, bytes);
  return path;
}
