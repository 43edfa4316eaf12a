import { statSync } from "node:fs";
import { resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { candidatesAmong, filesOf } from "./candidates.ts";
import { listNames } from "./checksum-lists.ts";
import { readDisks, type SavedDisk, type WholeDisk, wholeDisk } from "./disks.ts";
import { encryptionOf } from "./encryption.ts";
import { readText } from "./metadata.ts";
import { factsOf, isNothing, partitionsOf, type SavedPartition } from "./partitions.ts";
import { readSavedImage, type SavedImage } from "./saved-image.ts";
import { readSwaps } from "./swap.ts";

/** A folder of images, as Clonezilla, Rescuezilla and FOG make them. */
export interface ImageFolder {
  readonly path: string;
  /** `Clonezilla`, `Rescuezilla …`, `FOG`; `null`: images without a tool's other files. */
  readonly tool: string | null;
  /** When it was saved, in the tool's own words, or by the time of its first image. */
  readonly date: string | null;
  /** `eCryptfs`, `gocryptfs`; `null`: its files can be read. */
  readonly encryption: string | null;
  readonly disks: readonly (SavedDisk & WholeDisk)[];
  readonly partitions: readonly SavedPartition[];
  /** Names of files with the checksums of the others. */
  readonly checksumFiles: readonly string[];
}

/** Looks into all files of a folder. Throws SYSTEM where it cannot be listed. */
export async function readImageFolder(path: string): Promise<ImageFolder> {
  const names = listed(path);
  const encryption = encryptionOf(path, names);
  const images: SavedImage[] = [];
  if (encryption === null) {
    for (const candidate of candidatesAmong(path, names)) {
      const image = await readSavedImage(candidate);
      if (!image) continue;
      // A second image of a partition goes by its whole name: none may hide another.
      const isTaken = images.some(({ device }) => device === image.device);
      images.push(isTaken ? { ...image, device: candidate.name } : image);
    }
  }
  const swaps = readSwaps(path, names);
  const facts = factsOf(path, { images, swaps, names });
  // A file system or a volume group may take a whole disk, whose first sector tells of no partitions.
  const disks = readDisks(path, names).filter(({ device }) => isNothing(facts.of(device)));
  const partitions = partitionsOf(disks, facts);
  const find = (device: string) => partitions.find((each) => each.device === device) ?? null;
  return {
    path: resolve(path),
    tool: toolOf(path, names),
    date: dateOf(path, images),
    encryption,
    disks: disks.map((disk) => ({ ...disk, ...wholeDisk(path, disk, find) })),
    partitions,
    checksumFiles: listNames(names),
  };
}

const LIST_PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: "no such directory",
  ENOTDIR: "is no directory: give the one that the images are in",
  EACCES: "permission denied; read it as its owner or as root",
};

function listed(path: string): string[] {
  try {
    return filesOf(path);
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    const text = `${path}: ${LIST_PROBLEMS[code] ?? message}`;
    throw new ImageBackupError("SYSTEM", text, {}, { cause: error });
  }
}

function toolOf(path: string, names: readonly string[]): string | null {
  const log = readText(path, "clonezilla-img") ?? "";
  const version = /^Saved by (Rescuezilla.*)$/m.exec(log)?.[1];
  const saved = /^This image was saved by (\w+)/.exec(log)?.[1];
  if (version !== undefined || saved !== undefined) return version ?? saved ?? null;
  if (names.some((name) => /^d\d+\.(?:partitions|mbr)$/.test(name))) return "FOG";
  return names.includes("parts") || names.some((name) => name.endsWith("-pt.sf"))
    ? "Clonezilla"
    : null;
}

function dateOf(path: string, [image]: readonly SavedImage[]): string | null {
  const log = readText(path, "clonezilla-img") ?? "";
  const date = /^This image was saved by \w+ at (.+?)\.?$/m.exec(log)?.[1];
  return date ?? (image ? statSync(image.path).mtime.toISOString().slice(0, 10) : null);
}
