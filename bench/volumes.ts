/** Volumes with files in them, and their images by the real tools. */
import { randomFillSync } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { must } from "./command.ts";
import type { Lab } from "./lab.ts";

const MIB = 2 ** 20;

/** An image, and the raw partition that it restores to. */
export interface Volume {
  readonly raw: string;
  readonly image: string;
  readonly program: "vpartclone" | "vntfsclone";
}

export const volumeBytes = ({ quick }: Lab): number => (quick ? 256 : 2048) * MIB;

/** Of a volume each; the rest stays free, as in life. */
const FILES = 9;
const SHARE = 0.095;

function randomFile(path: string, bytes: number): void {
  const chunk = new Uint8Array(MIB);
  const fd = openSync(path, "w");
  for (let at = 0; at < bytes; at += MIB) writeSync(fd, randomFillSync(chunk));
  closeSync(fd);
}

/** Random data cannot be compressed, shared or skipped by anybody on the way. */
function randomFiles(lab: Lab): readonly string[] {
  return lab.once("files", () => {
    const directory = lab.path("files");
    mkdirSync(directory);
    const bytes = Math.floor((volumeBytes(lab) * SHARE) / MIB) * MIB;
    return Array.from({ length: FILES }, (_, number) => {
      const path = `${directory}/${number}`;
      randomFile(path, bytes);
      return path;
    });
  });
}

/** Makes a volume and its image, unless both are there from an earlier run. */
function volume(lab: Lab, name: string, make: (raw: string, image: string) => void) {
  const raw = lab.imagePath(`${name}.raw`);
  const image = lab.imagePath(`${name}.img`);
  return lab.once(name, () => {
    if (!existsSync(raw) || !existsSync(image)) {
      for (const old of [raw, image]) rmSync(old, { force: true });
      Bun.spawnSync(["truncate", "-s", String(volumeBytes(lab)), raw]);
      make(raw, image);
      must(["sync", "-f", raw]);
    }
    return { raw, image };
  });
}

/** partclone's own default: a CRC-32 after each megabyte. */
export function ext4(lab: Lab): Volume {
  const files = volume(lab, "ext4", (raw, image) => {
    const [first = ""] = randomFiles(lab);
    must(["mkfs.ext4", "-q", "-F", "-b", "4096", "-d", first.replace(/\/\d+$/, ""), raw]);
    // -f0: partclone sleeps for two seconds otherwise; -L: its log goes to /var/log.
    must(["partclone.ext4", "-c", "-q", "-f0", "-L", "/dev/null", "-s", raw, "-o", image]);
  });
  return { ...files, program: "vpartclone" };
}

export function ntfs(lab: Lab): Volume {
  const files = volume(lab, "ntfs", (raw, image) => {
    must(["mkfs.ntfs", "-q", "-F", "-f", "-c", "4096", "-p", "0", "-H", "255", "-S", "63", raw]);
    for (const [number, file] of randomFiles(lab).entries()) {
      must(["ntfscp", "-q", "-f", raw, file, `file-${number}`]);
    }
    must(["ntfsclone", "--force", "--save-image", "--output", image, raw]);
  });
  return { ...files, program: "vntfsclone" };
}

/** An image of a partition of which nothing is used: what starting up costs. */
export function emptyExt4Image(lab: Lab): string {
  return lab.once("empty", () => {
    const raw = lab.path("empty.raw");
    const image = lab.path("empty.img");
    closeSync(openSync(raw, "w"));
    truncateSync(raw, 16 * MIB);
    must(["mkfs.ext4", "-q", "-F", "-b", "4096", raw]);
    must(["partclone.ext4", "-c", "-q", "-f0", "-L", "/dev/null", "-s", raw, "-o", image]);
    return image;
  });
}
