import { mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { must } from "../../bench/command.ts";
import { partcloneRestore } from "../real/savers.ts";

/** How Clonezilla compresses by default, and as it did before. */
export const pipelines = {
  "zstdmt -3": ["zstd -T0 -3 -qc", ".zst"],
  "pigz --rsyncable": ["pigz --rsyncable -c", ".gz"],
} as const;
/** The other codecs, for the long run: most of them are slow. */
export const otherPipelines = {
  lz4: ["lz4 -qc", ".lz4"],
  lzop: ["lzop -c", ".lzo"],
  "xz -T0 -1": ["xz -T0 -1 -c", ".xz"],
  "lzip -1": ["lzip -1 -c", ".lz"],
  bzip2: ["bzip2 -c", ".bz2"],
} as const;
const allPipelines = { ...pipelines, ...otherPipelines };
export type Pipeline = keyof typeof pipelines;
export type AnyPipeline = keyof typeof allPipelines;

export interface RealImage extends Disposable {
  /** What partclone.restore makes of the image. */
  readonly truth: string;
  readonly imageBytes: number;
  /** The image compressed, in pieces of this size if one is given; the path that opens it. */
  compressed(by: AnyPipeline, pieceBytes?: number): string;
}

/** Of the volume, what files take. */
const SHARE = 0.75;

/** An ext4 volume of so many MiB with files of a directory in it, saved by partclone. */
export function realImage(mebibytes: number, source: string): RealImage {
  const folder = mkdtempSync(join(tmpdir(), "vpartclone-soak-"));
  const path = (name: string) => join(folder, name);
  try {
    const [tree, raw, image, truth] = [path("tree"), path("raw"), path("image"), path("truth")];
    mkdirSync(tree);
    copyFiles(source, tree, mebibytes * 2 ** 20 * SHARE);
    writeFileSync(raw, "");
    truncateSync(raw, mebibytes * 2 ** 20);
    must(["mkfs.ext4", "-q", "-F", "-d", tree, raw]);
    rmSync(tree, { recursive: true });
    must(["partclone.ext4", "-c", "-q", "-f0", "-L", "/dev/null", "-s", raw, "-o", image]);
    rmSync(raw);
    must(partcloneRestore(image, truth));
    return {
      truth,
      imageBytes: statSync(image).size,
      compressed(by, pieceBytes) {
        const [command, ending] = allPipelines[by];
        const name = path(`sda1.img${ending}`);
        const end = pieceBytes === undefined ? `> ${name}` : `| split -b ${pieceBytes} - ${name}.`;
        must(["sh", "-c", `${command} < ${image} ${end}`]);
        return pieceBytes === undefined ? name : `${name}.aa`;
      },
      [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
    };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Copies files of the directory, in its order, until they have so many bytes; again if need be. */
function copyFiles(source: string, target: string, bytes: number): void {
  // Bun's own walk goes around in symbolic links that lead upwards, as /usr/bin/X11 does.
  const found = must(["find", source, "-xdev", "-type", "f", "-print0"]);
  const names = found.split("\0").filter((name) => name !== "");
  let left = bytes;
  for (let copy = 1; left > 0; copy++) {
    const list: string[] = [];
    for (const name of names) {
      // A block and an inode, too, for the smallest.
      const size = statSync(name).size + 4096;
      if (size > left) break;
      list.push(name);
      left -= size;
    }
    if (list.length === 0) return;
    const into = join(target, String(copy));
    const files = join(target, "list");
    mkdirSync(into);
    writeFileSync(files, list.join("\0"));
    must(["sh", "-c", `tar -cf - --null -T ${files} 2>/dev/null | tar -xf - -C ${into}`]);
    rmSync(files);
  }
}
