import { resolve } from "node:path";
import type { Requirement } from "../require.ts";
import type { Argv } from "./stage.ts";

/** A real tool that saves a volume as an image, and restores it. */
export interface Saver {
  readonly title: string;
  readonly needs: readonly Requirement[];
  readonly save: (volume: string, image: string) => Argv;
  readonly restore: (image: string, file: string) => Argv;
  /** Our command for these images. */
  readonly mountedBy: "vpartclone" | "vntfsclone";
  /** Whether the image holds the files' contents. */
  readonly keepsFiles: boolean;
}

/**
 * `-f0`: without it partclone sleeps for two seconds, its progress thread's interval.
 * `-L`: the log goes to /var/log otherwise.
 */
const QUICK = ["-q", "-f0", "-L", "/dev/null"];

/**
 * `restoreOptions`: partclone.restore 0.3.23 writes past its heap buffer ("free(): invalid next
 * size") where the blocks per checksum do not divide the blocks in the buffer of 1 MiB, so those
 * images need a `-z` of whole strips.
 */
export function partclone(type: string, options: Argv, restoreOptions: Argv = []): Saver {
  const tool = `partclone.${type}`;
  return {
    title: [tool, ...options].join(" "),
    needs: [tool, "partclone.restore"],
    save: (volume, image) => [tool, "-c", ...QUICK, ...options, "-s", volume, "-o", image],
    restore: (image, file) => partcloneRestore(image, file, restoreOptions),
    mountedBy: "vpartclone",
    keepsFiles: true,
  };
}

/**
 * `-W` makes a sparse file; its size is the device's only where the last block is absent, the end
 * of the last block otherwise (and for format 0001 always).
 */
export function partcloneRestore(image: string, file: string, options: Argv = []): Argv {
  return ["partclone.restore", "-W", ...QUICK, ...options, "-s", image, "-o", file];
}

const ours = (program: string): Argv => [
  process.execPath,
  resolve(import.meta.dir, "../../src/cli", `${program}.ts`),
];

/** Our own restore. */
export function ourRestore(program: Saver["mountedBy"], image: string, file: string): Argv {
  return [...ours(program), "-q", image, "--restore", file];
}

/** Succeeds if the image passes every MUST rule. */
export const vconform = (image: string): Argv => [...ours("vconform"), image];

export function ntfsclone(extent: "full" | "metadata"): Saver {
  const options = extent === "metadata" ? ["--metadata"] : [];
  return {
    title: ["ntfsclone", ...options].join(" "),
    needs: ["ntfsclone"],
    save: (volume, image) => ["ntfsclone", ...options, "--save-image", "--output", image, volume],
    restore: (image, file) => ["ntfsclone", "--restore-image", "--output", file, image],
    mountedBy: "vntfsclone",
    keepsFiles: extent === "full",
  };
}
