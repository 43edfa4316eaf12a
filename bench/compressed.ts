/** A volume of real files, and its image as Clonezilla compresses it. */
import { copyFileSync, existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { must } from "./command.ts";
import type { Lab } from "./lab.ts";
import { type Volume, volumeBytes } from "./volumes.ts";

/** Programs, libraries and texts: what compressors meet in life. */
const REAL_FILES = "/usr";
const FILLED = 0.8;
const BLOCK = 4096;

/** Clonezilla's commands for its two most usual compressions. */
const COMPRESSORS = {
  zstd: { compress: ["zstd", "-T0", "-3"], decompress: ["zstd", "-dc"], ending: "zst" },
  gzip: {
    compress: ["pigz", "--fast", "-b", "1024", "--rsyncable"],
    decompress: ["gzip", "-dc"],
    ending: "gz",
  },
} as const;

export type Compressor = keyof typeof COMPRESSORS;
export const compressors = Object.keys(COMPRESSORS) as Compressor[];

export const decompressing = (by: Compressor): readonly string[] => COMPRESSORS[by].decompress;

function copyRealFiles(target: string, atMost: number): void {
  let copied = 0;
  const files = must(["find", REAL_FILES, "-xdev", "-type", "f"]).trimEnd().split("\n");
  for (const path of files.toSorted()) {
    const size = Math.ceil(statSync(path).size / BLOCK) * BLOCK;
    if (copied + size > atMost) continue;
    mkdirSync(dirname(target + path), { recursive: true });
    copyFileSync(path, target + path);
    copied += size;
  }
}

function realVolume(lab: Lab, copies: number): Volume {
  const name = copies === 1 ? "real" : `real-${copies}`;
  const raw = lab.imagePath(`${name}.raw`);
  const image = lab.imagePath(`${name}.img`);
  lab.once(name, () => {
    if (existsSync(image)) return;
    const files = lab.path("real files");
    for (let copy = 1; copy <= copies; copy++) {
      copyRealFiles(join(files, `${copy}`), volumeBytes(lab) * FILLED);
    }
    rmSync(raw, { force: true });
    must(["truncate", "-s", `${volumeBytes(lab) * copies}`, raw]);
    must(["mkfs.ext4", "-q", "-F", "-b", "4096", "-d", files, raw]);
    must(["partclone.ext4", "-c", "-q", "-f0", "-L", "/dev/null", "-s", raw, "-o", image]);
    rmSync(files, { recursive: true });
  });
  return { raw, image, program: "vpartclone" };
}

/** Its `image` is compressed; `plainBytes`: what it is without. */
export interface CompressedVolume extends Volume {
  readonly plainBytes: number;
}

/** `copies`: so many times as large as other volumes, with so many copies of the files. */
export function compressedVolume(lab: Lab, by: Compressor, copies = 1): CompressedVolume {
  const { image, raw, program } = realVolume(lab, copies);
  const { compress, ending } = COMPRESSORS[by];
  const path = `${image}.${ending}`;
  lab.once(path, () => {
    if (!existsSync(path))
      must(["sh", "-c", `${compress.join(" ")} -c <"$1" >"$2"`, "sh", image, path]);
  });
  return { raw, image: path, program, plainBytes: statSync(image).size };
}
