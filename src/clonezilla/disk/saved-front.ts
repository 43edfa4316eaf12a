import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../metadata.ts";
import { type Gpt, parseGpt } from "./gpt.ts";
import { MBR_SIZE } from "./mbr.ts";

/** What the folder has of a disk before its first partition. */
export interface SavedFront {
  /** Sector 0, and what of the following is saved with it. */
  readonly head: Buffer | null;
  /** A file with what follows sector 0. */
  readonly hidden: string | null;
  /** The primary copy of its GUID partition table. */
  readonly gpt: Gpt | null;
}

/** Where `sgdisk --backup`, which FOG uses, has what: both headers, then the entries. */
const SGDISK = { header: MBR_SIZE, entries: 3 * MBR_SIZE } as const;

/** Reads what Clonezilla and FOG save of the disk's first sectors. */
export function readSavedFront(folder: string, device: string, sectorSize: number): SavedFront {
  const clonezilla = readBytes(folder, `${device}-gpt-1st`);
  if (clonezilla) {
    return { head: clonezilla, hidden: null, gpt: parseGpt(clonezilla, sectorSize) };
  }
  const fog = readBytes(folder, `${device}.mbr`);
  const saved = fog && parseGpt(fog, MBR_SIZE, SGDISK.header, SGDISK.entries);
  if (fog && saved) {
    const gpt = sectorSize === MBR_SIZE ? saved : null;
    return { head: fog.subarray(0, MBR_SIZE), hidden: null, gpt };
  }
  const hidden = join(folder, `${device}-hidden-data-after-mbr`);
  return {
    head: fog ?? readBytes(folder, `${device}-mbr`, MBR_SIZE),
    hidden: existsSync(hidden) ? hidden : null,
    gpt: null,
  };
}

/** The first sector of an extended partition; `device`: that partition. */
export const readSavedEbr = (folder: string, device: string): Buffer | null =>
  readBytes(folder, `${device}-ebr`, MBR_SIZE) ?? readBytes(folder, `${device}.ebr`, MBR_SIZE);
