/**
 * Makes one executable of all commands for each kind of machine: bun run build [TARGET]...
 * They need no Bun, no Node and none of this repository's files. Without TARGET: for this machine.
 */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const DIST = join(ROOT, "dist");
const TARGETS = ["linux-x64", "linux-arm64", "linux-x64-musl", "linux-arm64-musl"] as const;
export type Target = (typeof TARGETS)[number];

/** The program, and the threads it starts: their names alone tell them apart in the executable. */
export const ENTRIES = [
  "src/cli/main.ts",
  "src/cli/worker.ts",
  "src/fuse/receive-worker.ts",
  "src/partclone/proof-worker.ts",
  "src/seekable/index-worker.ts",
];

/** It is started in folders of backups, by root: what is in them must neither run nor set variables. */
const OF_STRANGERS = { autoloadBunfig: false, autoloadDotenv: false };

export async function build(target: Target | null): Promise<string> {
  const outfile = join(DIST, target === null ? "vpartclone" : `vpartclone-${target}`);
  mkdirSync(DIST, { recursive: true });
  const { success, logs } = await Bun.build({
    entrypoints: ENTRIES.map((entry) => join(ROOT, entry)),
    naming: { entry: "[name].[ext]" },
    minify: true,
    compile: { outfile, ...OF_STRANGERS, ...(target !== null && { target: `bun-${target}` }) },
  });
  if (!success) throw new Error(logs.join("\n"));
  return outfile;
}

const isTarget = (name: string): name is Target => (TARGETS as readonly string[]).includes(name);

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !isTarget(name));
  if (unknown === undefined) {
    for (const target of names.length > 0 ? names.filter(isTarget) : [null]) {
      console.log(await build(target));
    }
  } else {
    console.error(`build: no target ${unknown}; the targets are ${TARGETS.join(", ")}`);
    process.exitCode = 2;
  }
}
