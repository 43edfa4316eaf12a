import { statSync } from "node:fs";
import { partitionDevice } from "../image-names.ts";
import { isExtended, type PartitionTable } from "../partition-table.ts";
import { besides, bytesAt, type DiskPart } from "./disk-part.ts";
import {
  backupLba,
  backupOf,
  buildGpt,
  entriesLba,
  type Gpt,
  gptTable,
  isSameTable,
  reservedSectors,
} from "./gpt.ts";
import { buildEbrs, buildMbr, hasPrimaries, isProtective, MBR_SIZE, protectiveMbr } from "./mbr.ts";
import { readSavedEbr, readSavedFront, type SavedFront } from "./saved-front.ts";

/** A disk whose first sectors are in a folder. */
export interface TableSource {
  readonly folder: string;
  readonly device: string;
  readonly table: PartitionTable;
  /** Bytes of the disk; `null`: unknown. */
  readonly size: number | null;
}

export interface TableParts {
  /** Bytes of the disk, as far as its table tells. */
  readonly size: number;
  readonly parts: readonly DiskPart[];
}

const TABLE = "the partition table";
const BACKUP = "the partition table's backup";

/** The sectors that tell of the partitions: as they were saved, or anew where they were not. */
export function tableParts(disk: TableSource): TableParts {
  const { folder, device, table } = disk;
  const front = readSavedFront(folder, device, table.sectorSize);
  return table.label === "gpt" ? gptParts(disk, front) : mbrParts(disk, front);
}

function gptParts({ table, size }: TableSource, front: SavedFront): TableParts {
  const { sectorSize } = table;
  const isSaved = front.gpt && isSameTable(gptTable(front.gpt, sectorSize), table);
  const known = size === null ? null : Math.floor(size / sectorSize);
  const least = sectorsFor(table);
  const gpt = isSaved && front.gpt ? front.gpt : buildGpt(table, Math.max(known ?? 0, least));
  const sectors = known ?? backupLba(gpt) + 1;
  const { head } = front;
  const first =
    head && isProtective(head)
      ? head.subarray(0, sectorSize)
      : protectiveMbr(sectors, head?.subarray(0, MBR_SIZE) ?? null);
  const copies = [copyAt(TABLE, 1, entriesLba(gpt), gpt, sectorSize)];
  // A table that was moved to a smaller disk has no backup there.
  if (backupLba(gpt) < sectors) {
    const backup = backupOf(gpt, sectorSize);
    copies.push(copyAt(BACKUP, backupLba(gpt), entriesLba(backup), backup, sectorSize));
  }
  const parts = [bytesAt("sector 0", 0, first), ...copies.flat()];
  // Where the entries are elsewhere, something that starts the machine may be in their usual place.
  const partitions = table.entries.map((entry) => ({
    start: entry.start * sectorSize,
    length: entry.sectors * sectorSize,
  }));
  const others = head ? besides("the first sectors", head, [...parts, ...partitions]) : [];
  return { size: size ?? sectors * sectorSize, parts: [...parts, ...others] };
}

const copyAt = (
  what: string,
  header: number,
  entries: number,
  gpt: Gpt,
  sectorSize: number,
): DiskPart[] => [
  bytesAt(what, header * sectorSize, gpt.header),
  bytesAt(what, entries * sectorSize, gpt.entries),
];

/** As many sectors as a disk must have for its table. */
function sectorsFor(table: PartitionTable): number {
  const ends = table.entries.map(({ start, sectors }) => start + sectors);
  return Math.max(table.usable ? table.usable.last + 1 : 0, ...ends) + reservedSectors(table) + 1;
}

function mbrParts({ folder, device, table, size }: TableSource, front: SavedFront): TableParts {
  const { sectorSize, entries } = table;
  const first = Math.min(...entries.map(({ start }) => start)) * sectorSize;
  const { head, hidden } = front;
  const sector0 =
    head && hasPrimaries(head, table)
      ? head.subarray(0, Math.min(head.length, first))
      : buildMbr(table, head);
  const extended = entries.find(isExtended);
  const saved = extended ? readSavedEbr(folder, partitionDevice(device, extended.number)) : null;
  const ebrs = buildEbrs(table, saved).map(({ sector, bytes }) =>
    bytesAt("a sector of the logical partitions", sector * sectorSize, bytes),
  );
  const behind: DiskPart[] =
    hidden === null
      ? []
      : [
          {
            ...{ what: "the data before the first partition", start: MBR_SIZE },
            length: Math.max(0, Math.min(statSync(hidden).size, first - MBR_SIZE)),
            filling: { path: hidden },
          },
        ];
  const ends = entries.map(({ start, sectors }) => (start + sectors) * sectorSize);
  return {
    size: size ?? Math.max(...ends),
    parts: [bytesAt("sector 0", 0, sector0), ...behind, ...ebrs],
  };
}
