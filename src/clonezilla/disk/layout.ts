import { ImageBackupError } from "../../bytes/errors.ts";
import { fullSize } from "../../bytes/sizes.ts";
import { partitionDevice } from "../image-names.ts";
import { isExtended, type PartitionTable, SECTOR_SIZES } from "../partition-table.ts";
import { partitionSize, type SavedImage } from "../saved-image.ts";
import type { SavedSwap } from "../swap.ts";
import { bytesAt, type DiskPart, type Filling, overlapOf, sortedApart } from "./disk-part.ts";
import { MOST_ENTRIES, MOST_LBA } from "./gpt.ts";
import { isPrimary, MOST_MBR_SECTORS } from "./mbr.ts";
import { physicalVolumeHead } from "./physical-volume.ts";
import { swapHeader } from "./swap-area.ts";
import { type TableSource, tableParts } from "./table-parts.ts";
import { readPhysicalVolume, type VolumePart } from "./volume-group.ts";

export interface DiskLayout {
  readonly size: number;
  /** Sorted, and apart from each other. */
  readonly parts: readonly DiskPart[];
}

/** What the folder has of a partition. */
export interface Filled {
  readonly image: Pick<SavedImage, "format" | "deviceSize"> | null;
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

function partitionParts(disk: DiskSource): DiskPart[] {
  const { sectorSize, entries } = disk.table;
  return entries
    .filter((entry) => !isExtended(entry))
    .flatMap((entry): DiskPart[] => {
      const device = partitionDevice(disk.device, entry.number);
      const place = { start: entry.start * sectorSize, room: entry.sectors * sectorSize };
      return savedPart(disk, device, place) ?? groupParts(disk, device, place);
    });
}

/** Where something begins, and how much room is there. */
interface Place {
  readonly start: number;
  readonly room: number;
}

/** What is saved of a device itself; `null`: nothing. */
function savedPart(
  { find }: DiskSource,
  device: string,
  { start, room }: Place,
): DiskPart[] | null {
  const { image, swap } = find(device) ?? { image: null, swap: null };
  const header = swap && swapHeader(swap, room);
  if (header) return [bytesAt(device, start, header)];
  if (!image) return null;
  const size = partitionSize(image, room) ?? room;
  if (size <= room) {
    return [{ what: device, start, length: size, filling: { device, from: 0 } }];
  }
  const problem = `${device}: its image has ${fullSize(size)}, and its place on the disk ${fullSize(room)}`;
  return [unreadable(device, { start, room }, problem)];
}

const unreadable = (what: string, { start, room }: Place, problem: string): DiskPart => ({
  ...{ what, start, length: room },
  filling: { problem },
});

/** A physical volume is not saved itself, but what it consists of is. */
function groupParts(disk: DiskSource, device: string, place: Place): DiskPart[] {
  const volume = readPhysicalVolume(disk.folder, device);
  if (volume === null) return [];
  if (typeof volume === "string") return [unreadable(device, place, volume)];
  const head = physicalVolumeHead(volume);
  const ends = volume.parts.map(({ to, length }) => to + length);
  if (head === null || Math.max(volume.size, ...ends) > place.room) {
    return [unreadable(device, place, `${device}: the volume group does not fit into it`)];
  }
  const volumes = volume.parts.flatMap((part) => volumePart(disk, part, place.start));
  const parts = [bytesAt(device, place.start, head), ...volumes];
  const overlap = overlapOf(parts);
  return overlap === null ? parts : [unreadable(device, place, `${device}: ${overlap}`)];
}

/** What of a logical volume's image is in one part of it; `base`: of the physical volume. */
function volumePart(disk: DiskSource, part: VolumePart, base: number): DiskPart[] {
  const { device, size, from, to } = part;
  const saved = savedPart(disk, device, { start: 0, room: size }) ?? [];
  return saved.map((whole) => {
    const length = Math.min(part.length, whole.length - from);
    const filling = partOf(whole.filling, from, from + length);
    return { what: device, start: base + to, length, filling };
  });
}

function partOf(filling: Filling, from: number, to: number): Filling {
  if ("bytes" in filling) return { bytes: filling.bytes.subarray(from, Math.max(from, to)) };
  return "device" in filling ? { ...filling, from } : filling;
}

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
  for (const { number, type } of entries) {
    if (!/^(?:0x)?[0-9a-f]{1,2}$/i.test(type)) refuse(`partition ${number} has no type of an MBR`);
  }
  const logical = entries.filter((entry) => !isPrimary(entry));
  const extended = entries.find((entry) => isPrimary(entry) && isExtended(entry));
  if (logical.length > 0 && !extended) refuse("logical partitions, but no extended one");
  for (const { number, start, sectors } of extended ? logical : []) {
    const isInside =
      extended && start > extended.start && start + sectors <= extended.start + extended.sectors;
    if (!isInside) refuse(`partition ${number} is not inside the extended one`);
  }
}
