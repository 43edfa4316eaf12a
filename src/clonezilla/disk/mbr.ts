import { isExtended, type PartitionEntry, type PartitionTable } from "../partition-table.ts";

export const MBR_SIZE = 512;
const DISK_ID = 440;
const ENTRIES = 446;
const ENTRY_SIZE = 16;
const PRIMARIES = 4;
const SLOTS = [0, 1, 2, 3] as const;
const SIGNATURE = { at: 510, value: 0xaa55 } as const;
const BOOTABLE = 0x80;
/** A partition that tells those who know no GPT that the disk is not empty. */
const PROTECTIVE = 0xee;
/** The type of an EBR's link to the next one. */
const LINK = 0x05;
export const MOST_MBR_SECTORS = 0xffffffff;

/** The geometry that all disks of today pretend to have. */
const HEADS = 255;
const TRACK = 63;
const MOST_CYLINDERS = 1023;
/** What stands for a place beyond the last cylinder. */
const BEYOND = [0xfe, 0xff, 0xff] as const;

/** A place of a table that has four. */
interface Slot {
  readonly type: number;
  readonly start: number;
  readonly sectors: number;
  readonly isBootable: boolean;
  /** What `start` counts from. */
  readonly base?: number;
}

function hasSignature(sector: Uint8Array): boolean {
  const [low, high] = sector.subarray(SIGNATURE.at);
  return low === 0x55 && high === 0xaa;
}

const typeOf = ({ type }: PartitionEntry): number => Number.parseInt(type, 16) || 0;

export const isPrimary = ({ number }: PartitionEntry): boolean => number <= PRIMARIES;

/** Sector 0: `code`'s boot code, with the table's primary partitions. */
export function buildMbr({ id, entries }: PartitionTable, code: Uint8Array | null): Buffer {
  const sector = Buffer.alloc(MBR_SIZE);
  if (code) sector.set(code.subarray(0, ENTRIES));
  if (id !== null) sector.writeUInt32LE(Number(id) >>> 0, DISK_ID);
  for (const entry of entries.filter(isPrimary)) {
    writeSlot(sector, entry.number - 1, { ...entry, type: typeOf(entry) });
  }
  return signed(sector);
}

/** Sector 0 of a disk with GPT. */
export function protectiveMbr(sectors: number, code: Uint8Array | null): Buffer {
  const sector = Buffer.alloc(MBR_SIZE);
  if (code) sector.set(code.subarray(0, DISK_ID));
  const whole = Math.min(sectors - 1, MOST_MBR_SECTORS);
  writeSlot(sector, 0, { type: PROTECTIVE, start: 1, sectors: whole, isBootable: false });
  return signed(sector);
}

/** The table in sector 0; `null`: it has none, or an extended partition, whose others are elsewhere. */
export function mbrTable(sector: Buffer, sectorSize: number): PartitionTable | null {
  if (sector.length < MBR_SIZE || !hasSignature(sector)) return null;
  if (!SLOTS.every((index) => isSlot(sector, index))) return null;
  const entries = SLOTS.map((index): PartitionEntry => {
    const { type, ...slot } = readSlot(sector, index);
    const plain = { uuid: null, name: "", attributes: 0n };
    return { number: index + 1, ...slot, type: type.toString(16), ...plain };
  }).filter(({ sectors }) => sectors > 0);
  if (entries.length === 0 || entries.some(isExtended)) return null;
  const id = `0x${sector.readUInt32LE(DISK_ID).toString(16).padStart(8, "0")}`;
  return { label: "dos", id, sectorSize, usable: null, slots: null, entries };
}

/** The boot sector of a file system has the same signature, and anything in this place. */
function isSlot(sector: Buffer, index: number): boolean {
  const flag = sector.readUInt8(ENTRIES + index * ENTRY_SIZE);
  const { type, start, sectors } = readSlot(sector, index);
  return (flag & ~BOOTABLE) === 0 && (type === 0 ? sectors === 0 : start > 0 && sectors > 0);
}

/** Is the table in this sector the disk's own? */
export function hasPrimaries(sector: Buffer, { entries }: PartitionTable): boolean {
  if (sector.length < MBR_SIZE || !hasSignature(sector)) return false;
  return SLOTS.every((index) => {
    const { start, sectors } = readSlot(sector, index);
    const entry = entries.find(({ number }) => number === index + 1);
    return entry ? start === entry.start && sectors === entry.sectors : sectors === 0;
  });
}

export function isProtective(sector: Buffer): boolean {
  if (sector.length < MBR_SIZE || !hasSignature(sector)) return false;
  return SLOTS.some((index) => readSlot(sector, index).type === PROTECTIVE);
}

/** A sector that tells of one logical partition and of the next such sector. */
export interface Ebr {
  readonly sector: number;
  readonly bytes: Buffer;
}

/**
 * The chain of the logical partitions. Where the sectors were, sfdisk does not tell, and only the
 * first is saved (`saved`), which tells of the second: the others go as far before their partitions
 * as that one, where there is room.
 */
export function buildEbrs({ entries }: PartitionTable, saved: Buffer | null): Ebr[] {
  const extended = entries.find(isExtended);
  const logical = entries.filter((entry) => !isPrimary(entry)).sort((a, b) => a.number - b.number);
  const [first] = logical;
  if (!extended || !first) return [];
  const second = saved && linkOf(saved, extended, logical);
  const next = logical[1];
  const gap = second !== null && next ? next.start - second : first.start - extended.start;
  const places = logical.map((entry, index) => {
    if (index === 0) return extended.start;
    if (index === 1 && second !== null) return second;
    const ends = logical.map(({ start, sectors }) => start + sectors);
    const free = Math.max(extended.start + 1, ...ends.filter((end) => end <= entry.start));
    return Math.max(free, entry.start - gap);
  });
  return logical.map((entry, index) => {
    const sector = places[index] ?? 0;
    if (index === 0 && saved && second !== null) return { sector, bytes: saved };
    const bytes = Buffer.alloc(MBR_SIZE);
    if (index === 0 && saved) bytes.set(saved.subarray(0, ENTRIES));
    writeSlot(bytes, 0, { ...entry, type: typeOf(entry), base: sector });
    const next = logical[index + 1];
    const at = places[index + 1];
    if (next && at !== undefined) {
      const sectors = next.start + next.sectors - at;
      const link = { type: LINK, start: at, sectors, isBootable: false, base: extended.start };
      writeSlot(bytes, 1, link);
    }
    return { sector, bytes: signed(bytes) };
  });
}

/**
 * Where the saved sector says that the next one is, the beginning for nowhere; `null`: it is not
 * that of these partitions.
 */
function linkOf(
  saved: Buffer,
  { start: extended }: PartitionEntry,
  [first, second]: readonly PartitionEntry[],
): number | null {
  if (saved.length < MBR_SIZE || !hasSignature(saved)) return null;
  const [own, link] = [readSlot(saved, 0), readSlot(saved, 1)];
  if (extended + own.start !== first?.start || own.sectors !== first.sectors) return null;
  const at = extended + link.start;
  const isRight = second ? at > extended && at < second.start : at === extended;
  return isRight ? at : null;
}

function readSlot(sector: Buffer, index: number): Slot {
  const at = ENTRIES + index * ENTRY_SIZE;
  return {
    isBootable: sector.readUInt8(at) === BOOTABLE,
    type: sector.readUInt8(at + 4),
    start: sector.readUInt32LE(at + 8),
    sectors: sector.readUInt32LE(at + 12),
  };
}

function writeSlot(
  into: Buffer,
  index: number,
  { type, start, sectors, isBootable, base = 0 }: Slot,
): void {
  const at = ENTRIES + index * ENTRY_SIZE;
  into.writeUInt8(isBootable ? BOOTABLE : 0, at);
  into.set(cylinderHeadSector(start), at + 1);
  into.writeUInt8(type, at + 4);
  into.set(cylinderHeadSector(start + sectors - 1), at + 5);
  into.writeUInt32LE(start - base, at + 8);
  into.writeUInt32LE(sectors, at + 12);
}

function cylinderHeadSector(sector: number): readonly number[] {
  const cylinder = Math.floor(sector / (HEADS * TRACK));
  if (cylinder > MOST_CYLINDERS) return BEYOND;
  const head = Math.floor(sector / TRACK) % HEADS;
  return [head, (sector % TRACK) + 1 + ((cylinder >> 8) << 6), cylinder & 0xff];
}

function signed(sector: Buffer): Buffer {
  sector.writeUInt16LE(SIGNATURE.value, SIGNATURE.at);
  return sector;
}
