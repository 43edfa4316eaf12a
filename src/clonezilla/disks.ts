import { ImageBackupError } from "../bytes/errors.ts";
import { gptTable } from "./disk/gpt.ts";
import { type DiskLayout, type Filled, layOutDisk } from "./disk/layout.ts";
import { mbrTable } from "./disk/mbr.ts";
import { readSavedFront } from "./disk/saved-front.ts";
import { byDevice } from "./image-names.ts";
import { readText } from "./metadata.ts";
import {
  isProtective,
  type PartitionTable,
  parseSfdiskDump,
  SECTOR_SIZES,
} from "./partition-table.ts";

/** A disk of which the folder has more than the images of its partitions. */
export interface SavedDisk {
  /** `sda`, `nvme0n1`; FOG numbers them: `d1`. */
  readonly device: string;
  readonly table: PartitionTable | null;
  /** Bytes; `null`: unknown. */
  readonly size: number | null;
}

const USUAL_SECTOR = 512;

/** What `sfdisk --dump` printed, by Clonezilla, FOG, and older versions of FOG. */
const DUMPS = ["-pt.sf", ".partitions", ".original.partitions"] as const;

/** Files that tell of a disk, and its name in theirs. */
const OF_A_DISK = [
  /^(.+?)-(?:pt\.sf|pt\.parted|mbr|hidden-data-after-mbr|gpt-1st|chs\.sf)$/,
  /^(d\d+)\.(?:(?:original\.)?partitions|mbr|size)$/,
];

/** The whole disk, as far as it is known; or why there is none. */
export type WholeDisk =
  | { readonly layout: DiskLayout; readonly problem: null }
  | { readonly layout: null; readonly problem: string };

export function wholeDisk(
  folder: string,
  { device, table, size }: SavedDisk,
  find: (device: string) => Filled | null,
): WholeDisk {
  if (table === null) return { layout: null, problem: "its partition table is not saved" };
  try {
    return { layout: layOutDisk({ folder, device, table, size, find }), problem: null };
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    return { layout: null, problem: error.message };
  }
}

export function readDisks(folder: string, names: readonly string[]): SavedDisk[] {
  const devices = names.flatMap((name) =>
    OF_A_DISK.flatMap((shape) => shape.exec(name)?.[1] ?? []),
  );
  return [...new Set(devices)].sort(byDevice).map((device) => {
    const table = readTable(folder, device);
    return { device, table, size: readSize(folder, device, table) };
  });
}

function readTable(folder: string, device: string): PartitionTable | null {
  const dumps = DUMPS.map((ending) => readText(folder, `${device}${ending}`));
  const dump = dumps.find((text) => text !== null) ?? null;
  const usual = sectorSizeOf(partedOf(folder, device));
  const table = dump === null ? null : parseSfdiskDump(dump, usual);
  if (table && (table.entries.length === 0 || !isForGpt(table))) return table;
  // Before 2014 sfdisk saw of a GPT only what protects it, and FOG kept but the sectors.
  const sectorSize = table?.sectorSize ?? usual;
  if (!SECTOR_SIZES.has(sectorSize)) return table;
  const { gpt, head } = readSavedFront(folder, device, sectorSize);
  if (gpt) return gptTable(gpt, sectorSize);
  const ofSector = head && mbrTable(head, sectorSize);
  return ofSector && !isForGpt(ofSector) ? ofSector : null;
}

/** What `parted print` told in sectors. */
const partedOf = (folder: string, device: string): string =>
  readText(folder, `${device}-pt.parted`) ?? "";

const sectorSizeOf = (parted: string): number =>
  Number(/^Sector size \(logical\/physical\): (\d+)B/m.exec(parted)?.[1] ?? USUAL_SECTOR);

const isForGpt = ({ entries }: PartitionTable): boolean => entries.every(isProtective);

/** By the tools' own words, the exact ones first. */
function readSize(folder: string, device: string, table: PartitionTable | null): number | null {
  const parted = partedOf(folder, device);
  const sectorSize = table?.sectorSize ?? sectorSizeOf(parted);
  const sectors = /^Disk \/dev\/\S+: (\d+)s$/m.exec(parted)?.[1];
  const bytes = /^\d+:(\d+)/.exec(readText(folder, `${device}.size`) ?? "")?.[1];
  const size = sectors === undefined ? Number(bytes) : Number(sectors) * sectorSize;
  return Number.isSafeInteger(size) && size >= sectorSize ? size : null;
}
