import { statSync } from "node:fs";
import { resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { candidatesAmong, filesOf } from "./candidates.ts";
import { listNames } from "./checksum-lists.ts";
import { readDisks, type SavedDisk, type WholeDisk, wholeDisk } from "./disks.ts";
import { encryptionOf } from "./encryption.ts";
import { byDevice, partitionDevice } from "./image-names.ts";
import { deviceName, readRows, readText } from "./metadata.ts";
import { isExtended } from "./partition-table.ts";
import { readSavedImage, type SavedImage } from "./saved-image.ts";
import { readSwaps, type SavedSwap } from "./swap.ts";

/** What is known of a device that has a name in the folder. */
export interface SavedPartition {
  readonly device: string;
  /** The disk whose table has it; `null`: none that we know, as of a logical volume. */
  readonly disk: string | null;
  /** Byte offset on the disk; `null`: unknown. */
  readonly start: number | null;
  readonly size: number | null;
  readonly fsType: string | null;
  readonly image: SavedImage | null;
  readonly swap: SavedSwap | null;
  /** What is in it that has no image: `extended`, `volume group vg`, `LUKS`; `null`: unknown. */
  readonly holds: string | null;
}

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
  // A file system may take a whole disk, whose first sector then tells of no partitions.
  const disks = readDisks(path, names).filter(({ device }) =>
    images.every((image) => image.device !== device),
  );
  const swaps = readSwaps(path, names);
  const headers = names.filter((name) => name.endsWith(LUKS_HEADER));
  const saved = {
    images,
    swaps,
    headers: new Set(headers.map((name) => name.slice(0, -LUKS_HEADER.length))),
  };
  const partitions = partitionsOf(path, disks, saved);
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

/** What the folder has of its partitions. */
interface Saved {
  readonly images: readonly SavedImage[];
  readonly swaps: readonly SavedSwap[];
  /** Devices of which the LUKS header is saved. */
  readonly headers: ReadonlySet<string>;
}

const LUKS_HEADER = "-luksHeader.bin";

function partitionsOf(
  path: string,
  disks: readonly SavedDisk[],
  { images, swaps, headers }: Saved,
): SavedPartition[] {
  const volumes = readRows(path, "lvm_logv.list").map(([volume = ""]) => deviceName(volume));
  const facts = factsOf(path, { images, swaps, headers });
  const inTables = disks.flatMap(({ device: disk, table }) =>
    (table?.entries ?? []).map((entry): SavedPartition => {
      const device = partitionDevice(disk, entry.number);
      const [start, size] = [entry.start, entry.sectors].map((n) => n * (table?.sectorSize ?? 0));
      const known = facts(device);
      return {
        ...{ ...known, device, disk, start: start ?? 0, size: size ?? 0 },
        holds: isExtended(entry) ? "extended" : known.holds,
      };
    }),
  );
  const known = new Set(inTables.map(({ device }) => device));
  const named = [...images, ...swaps].map(({ device }) => device);
  const others = [...named, ...volumes].filter((device) => !known.has(device));
  const elsewhere = [...new Set(others)].sort(byDevice).map((device): SavedPartition => {
    const each = facts(device);
    const size = each.image?.deviceSize ?? null;
    return { ...each, device, disk: null, start: null, size };
  });
  return [...inTables, ...elsewhere];
}

/** Finds what the folder's files say of a device. */
function factsOf(path: string, { images, swaps, headers }: Saved) {
  const groups = readRows(path, "lvm_vg_dev.list");
  const luks = readRows(path, "luks-dev.list");
  const fileSystems = readRows(path, "dev-fs.list");
  const of = (rows: readonly string[][], column: number, device: string) =>
    rows.find((row) => deviceName(row[column] ?? "") === device);
  return (device: string) => {
    const image = images.find((each) => each.device === device) ?? null;
    const swap = swaps.find((each) => each.device === device) ?? null;
    const [group] = of(groups, 1, device) ?? [];
    const isLuks = of(luks, 0, device) !== undefined || headers.has(device);
    const holds = group === undefined ? (isLuks ? "LUKS" : null) : `volume group ${group}`;
    const listed = of(fileSystems, 0, device)?.[1] ?? null;
    return { image, swap, holds, fsType: image?.fsType ?? (swap ? "swap" : listed) };
  };
}
