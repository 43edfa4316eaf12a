import { ImageBackupError } from "../../bytes/errors.ts";
import { fullSize } from "../../bytes/sizes.ts";
import { partitionDevice } from "../image-names.ts";
import { isExtended, type PartitionTable } from "../partition-table.ts";
import type { SavedSwap } from "../swap.ts";
import { bytesAt, type DiskPart, sortedApart } from "./disk-part.ts";
import { MOST_ENTRIES, MOST_LBA } from "./gpt.ts";
import { isPrimary, MOST_MBR_SECTORS } from "./mbr.ts";
import { swapHeader } from "./swap-area.ts";
import { type TableSource, tableParts } from "./table-parts.ts";

export interface DiskLayout {
  readonly size: number;
  /** Sorted, and apart from each other. */
  readonly parts: readonly DiskPart[];
}

/** What the folder has of a partition. */
export interface Filled {
  /** `deviceSize`: bytes of the partition; `null`: the image does not say. */
  readonly image: { readonly deviceSize: number | null } | null;
  readonly swap: SavedSwap | null;
}

export interface DiskSource extends TableSource {
  readonly find: (device: string) => Filled | null;
}

/** Puts a disk together; opens no image. Throws CORRUPT where its table makes no sense. */
export function layOutDisk(disk: DiskSource): DiskLayout {
  requireSense(disk.table);
  const { size, parts } = tableParts(disk);
  const sorted = sortedApart([...parts, ...partitionParts(disk)]);
  const ends = sorted.map(({ start, length }) => start + length);
  return { size: Math.max(size, ...ends), parts: sorted };
}

function partitionParts({ device: disk, table, find }: DiskSource): DiskPart[] {
  const { sectorSize, entries } = table;
  return entries
    .filter((entry) => !isExtended(entry))
    .flatMap((entry): DiskPart[] => {
      const device = partitionDevice(disk, entry.number);
      const [start, size] = [entry.start * sectorSize, entry.sectors * sectorSize];
      const { image, swap } = find(device) ?? { image: null, swap: null };
      const header = swap && swapHeader(swap, size);
      if (header) return [bytesAt(device, start, header)];
      return image ? [imagePart(device, start, size, image.deviceSize ?? size)] : [];
    });
}

function imagePart(device: string, start: number, room: number, size: number): DiskPart {
  if (size <= room) return { what: device, start, length: size, filling: { device } };
  const problem = `${device}: its image has ${fullSize(size)}, and its place on the disk ${fullSize(room)}`;
  return { what: device, start, length: room, filling: { problem } };
}

const SECTOR_SIZES: ReadonlySet<number> = new Set([512, 1024, 2048, 4096]);

function requireSense({ label, sectorSize, usable, slots, entries }: PartitionTable): void {
  const refuse = (text: string): never => {
    throw new ImageBackupError("CORRUPT", text);
  };
  if (!SECTOR_SIZES.has(sectorSize)) refuse(`sectors of ${sectorSize} bytes`);
  if (entries.length === 0) refuse("its table has no partition");
  const most = label === "gpt" ? MOST_LBA : MOST_MBR_SECTORS;
  const isPlace = (sector: number) => Number.isInteger(sector) && sector >= 1 && sector <= most;
  if (usable && !(isPlace(usable.first) && isPlace(usable.last)))
    refuse("impossible usable sectors");
  const numbers = entries.map(({ number }) => number);
  if (new Set(numbers).size < numbers.length || Math.max(slots ?? 0, ...numbers) > MOST_ENTRIES) {
    refuse("impossible numbers of partitions");
  }
  for (const { number, start, sectors } of entries) {
    if (!isPlace(start) || !isPlace(start + sectors)) refuse(`partition ${number} is nowhere`);
  }
  if (label === "gpt") return;
  const logical = entries.filter((entry) => !isPrimary(entry));
  const extended = entries.find((entry) => isPrimary(entry) && isExtended(entry));
  if (logical.length > 0 && !extended) refuse("logical partitions, but no extended one");
  for (const { number, start, sectors } of extended ? logical : []) {
    const isInside =
      extended && start > extended.start && start + sectors <= extended.start + extended.sectors;
    if (!isInside) refuse(`partition ${number} is not inside the extended one`);
  }
}
