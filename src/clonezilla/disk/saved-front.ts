import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBytes } from "../metadata.ts";
import { type Gpt, parseGpt } from "./gpt.ts";
import { hasSignature, MBR_SIZE } from "./mbr.ts";

/** What the folder has of a disk before its first partition. */
export interface SavedFront {
  /** Sector 0, and what of the following is saved with it. */
  readonly head: Buffer | null;
  /** A file with what follows sector 0. */
  readonly hidden: string | null;
  /** The primary copy of its GUID partition table. */
  readonly gpt: Gpt | null;
}

/** Where `sgdisk --backup` has what, however large a sector is: both headers, then the entries. */
const SGDISK = { header: MBR_SIZE, size: MBR_SIZE, entries: 3 * MBR_SIZE } as const;

/** Reads what Clonezilla and FOG save of the disk's first sectors. */
export function readSavedFront(folder: string, device: string, sectorSize: number): SavedFront {
  const read = (ending: string, most?: number) => readBytes(folder, `${device}${ending}`, most);
  const [first, backup, fog] = [read("-gpt-1st"), read("-gpt.gdisk"), read(".mbr")];
  const ofFog = fog && sgdiskGpt(fog, sectorSize);
  // The first sectors end before the entries of some tables do.
  const gpt =
    (first && gptIn(first, sectorSize)) ?? (backup && sgdiskGpt(backup, sectorSize)) ?? ofFog;
  const heads = [first, ofFog ? fog.subarray(0, MBR_SIZE) : fog, read("-mbr", MBR_SIZE)];
  const hidden = join(folder, `${device}-hidden-data-after-mbr`);
  return {
    head: heads.find((head) => head && hasSignature(head)) ?? null,
    hidden: first === null && existsSync(hidden) ? hidden : null,
    gpt,
  };
}

const gptIn = (sectors: Uint8Array, sectorSize: number): Gpt | null =>
  parseGpt(sectors.subarray(sectorSize), sectorSize, (at) => sectors.subarray(at * sectorSize));

function sgdiskGpt(backup: Uint8Array, sectorSize: number): Gpt | null {
  const header = backup.subarray(SGDISK.header, SGDISK.header + SGDISK.size);
  return parseGpt(header, sectorSize, () => backup.subarray(SGDISK.entries));
}

/** The first sector of an extended partition; `device`: that partition. */
export const readSavedEbr = (folder: string, device: string): Buffer | null =>
  readBytes(folder, `${device}-ebr`, MBR_SIZE) ?? readBytes(folder, `${device}.ebr`, MBR_SIZE);
