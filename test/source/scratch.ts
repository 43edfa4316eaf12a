import { afterAll } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Scratch {
  /** A path where nothing is yet. */
  readonly path: (name: string) => string;
  /** The path of a new file with these bytes. */
  readonly file: (name: string, bytes: Uint8Array) => string;
}

/** A folder that lasts as long as the test file that asks for it runs. */
export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), "vpartclone-source-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  let count = 0;
  const path = (name: string) => join(folder, `${count++}-${name}`);
  const file = (name: string, bytes: Uint8Array) => {
    const made = path(name);
    writeFileSync(made, bytes);
    return made;
  };
  return { path, file };
}
