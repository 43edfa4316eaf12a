import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Scratch, scratch } from "../cli/program.ts";

/** A folder with these files, until it is disposed of. */
export function written(files: Readonly<Record<string, Uint8Array | string>>): Scratch {
  const folder = scratch();
  mkdirSync(folder.path, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder.path, name), bytes);
  return folder;
}

/** The pieces that `split` makes of a file. */
export function pieces(
  name: string,
  bytes: Uint8Array,
  suffixes: readonly string[],
): Record<string, Uint8Array> {
  const size = Math.ceil(bytes.length / suffixes.length);
  return Object.fromEntries(
    suffixes.map((suffix, index) => [
      `${name}${suffix}`,
      bytes.subarray(index * size, (index + 1) * size),
    ]),
  );
}
