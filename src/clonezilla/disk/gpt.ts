import { CRC32_START, crc32Update } from "../../bytes/crc32.ts";
import type { PartitionEntry, PartitionTable } from "../partition-table.ts";
import { guidBytes, guidText } from "./guid.ts";

/** One copy of a GUID partition table; the other differs in three fields of the header. */
export interface Gpt {
  /** The header's sector. */
  readonly header: Buffer;
  readonly entries: Buffer;
}

const SIGNATURE = "EFI PART";
const REVISION = 0x00010000;
const HEADER_SIZE = 92;
export const MOST_ENTRIES = 4096;
/** So that byte offsets are numbers that are exact. */
export const MOST_LBA = Number.MAX_SAFE_INTEGER / 4096;
const ENTRY_SIZE = 128;
const USUAL_ENTRIES = 128;
const NAME = { at: 56, characters: 36 } as const;

const H = {
  revision: 8,
  headerSize: 12,
  headerCrc: 16,
  own: 24,
  other: 32,
  firstUsable: 40,
  lastUsable: 48,
  guid: 56,
  entries: 72,
  entryCount: 80,
  entrySize: 84,
  entriesCrc: 88,
} as const;

const E = { type: 0, guid: 16, first: 32, last: 40, attributes: 48 } as const;

const crc32 = (bytes: Uint8Array): number => ~crc32Update(CRC32_START, bytes) >>> 0;

const lba = (header: Buffer, at: number): number => Number(header.readBigUInt64LE(at));

/** Sector of the header's other copy: the last one of the disk, unless that has grown since. */
export const backupLba = ({ header }: Gpt): number => lba(header, H.other);

export const entriesLba = ({ header }: Gpt): number => lba(header, H.entries);

/** Sectors that a table's entries take when it is built. */
export const reservedSectors = (table: PartitionTable): number =>
  Math.ceil((slotsOf(table) * ENTRY_SIZE) / table.sectorSize);

const slotsOf = ({ slots, entries }: PartitionTable): number =>
  Math.max(slots ?? USUAL_ENTRIES, ...entries.map(({ number }) => number));

/**
 * The table with the header that `from` begins with, and the entries that `entriesAt` gives for the
 * sector in which the header says they are; what these lack counts as zeros. `null`: there is none,
 * or a checksum is wrong.
 */
export function parseGpt(
  from: Uint8Array,
  sectorSize: number,
  entriesAt: (sector: number) => Uint8Array,
): Gpt | null {
  const header = Buffer.alloc(sectorSize);
  header.set(from.subarray(0, sectorSize));
  if (header.toString("latin1", 0, SIGNATURE.length) !== SIGNATURE) return null;
  const [count, size] = [header.readUInt32LE(H.entryCount), header.readUInt32LE(H.entrySize)];
  if (header.readUInt32LE(H.headerSize) !== HEADER_SIZE) return null;
  if (size !== ENTRY_SIZE || count > MOST_ENTRIES || !isSealed(header)) return null;
  const reserved = Math.ceil((count * size) / sectorSize);
  const [other, first] = [lba(header, H.other), lba(header, H.entries)];
  if (first < 2 || other < first + 2 * reserved || other > MOST_LBA) return null;
  const entries = Buffer.alloc(count * size);
  entries.set(entriesAt(first).subarray(0, entries.length));
  return crc32(entries) === header.readUInt32LE(H.entriesCrc) ? { header, entries } : null;
}

function isSealed(header: Buffer): boolean {
  const copy = Buffer.from(header.subarray(0, HEADER_SIZE));
  copy.writeUInt32LE(0, H.headerCrc);
  return crc32(copy) === header.readUInt32LE(H.headerCrc);
}

function sealed(header: Buffer): Buffer {
  header.writeUInt32LE(0, H.headerCrc);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_SIZE)), H.headerCrc);
  return header;
}

/** The table as sfdisk would have printed it. */
export function gptTable(gpt: Gpt, sectorSize: number): PartitionTable {
  const { header, entries } = gpt;
  return {
    label: "gpt",
    id: guidText(header.subarray(H.guid)),
    sectorSize,
    usable: { first: lba(header, H.firstUsable), last: lba(header, H.lastUsable) },
    slots: header.readUInt32LE(H.entryCount),
    entries: Array.from({ length: entries.length / ENTRY_SIZE }, (_, index) =>
      entryAt(entries.subarray(index * ENTRY_SIZE), index + 1),
    ).filter(({ sectors }) => sectors > 0),
  };
}

function entryAt(entry: Buffer, number: number): PartitionEntry {
  const isUsed = entry.subarray(0, E.guid).some((byte) => byte !== 0);
  const start = lba(entry, E.first);
  const name = entry.toString("utf16le", NAME.at, NAME.at + 2 * NAME.characters);
  return {
    ...{ number, start, sectors: isUsed ? lba(entry, E.last) - start + 1 : 0 },
    ...{ type: guidText(entry), uuid: guidText(entry.subarray(E.guid)), isBootable: false },
    name: name.replace(/\0[\s\S]*$/, ""),
    attributes: entry.readBigUInt64LE(E.attributes),
  };
}

/** The table anew, by what sfdisk printed of it; `sectors`: of the whole disk. */
export function buildGpt(table: PartitionTable, sectors: number): Gpt {
  const { id, sectorSize, usable, entries: list } = table;
  const count = slotsOf(table);
  const entries = Buffer.alloc(count * ENTRY_SIZE);
  for (const entry of list) writeEntry(entries.subarray((entry.number - 1) * ENTRY_SIZE), entry);
  const reserved = reservedSectors(table);
  const header = Buffer.alloc(sectorSize);
  header.write(SIGNATURE, 0, "latin1");
  header.writeUInt32LE(REVISION, H.revision);
  header.writeUInt32LE(HEADER_SIZE, H.headerSize);
  header.writeBigUInt64LE(1n, H.own);
  header.writeBigUInt64LE(BigInt(sectors - 1), H.other);
  header.writeBigUInt64LE(BigInt(usable?.first ?? 2 + reserved), H.firstUsable);
  header.writeBigUInt64LE(BigInt(usable?.last ?? sectors - reserved - 2), H.lastUsable);
  header.set(guidBytes(id), H.guid);
  header.writeBigUInt64LE(2n, H.entries);
  header.writeUInt32LE(count, H.entryCount);
  header.writeUInt32LE(ENTRY_SIZE, H.entrySize);
  header.writeUInt32LE(crc32(entries), H.entriesCrc);
  return { header: sealed(header), entries };
}

function writeEntry(into: Buffer, entry: PartitionEntry): void {
  into.set(guidBytes(entry.type), E.type);
  into.set(guidBytes(entry.uuid), E.guid);
  into.writeBigUInt64LE(BigInt(entry.start), E.first);
  into.writeBigUInt64LE(BigInt(entry.start + entry.sectors - 1), E.last);
  into.writeBigUInt64LE(entry.attributes, E.attributes);
  into.write(entry.name.slice(0, NAME.characters), NAME.at, "utf16le");
}

/** The copy at the disk's end, by the one at its beginning. */
export function backupOf(gpt: Gpt, sectorSize: number): Gpt {
  const header = Buffer.from(gpt.header);
  const at = backupLba(gpt);
  header.writeBigUInt64LE(BigInt(at), H.own);
  header.writeBigUInt64LE(BigInt(lba(gpt.header, H.own)), H.other);
  const reserved = Math.ceil(gpt.entries.length / sectorSize);
  header.writeBigUInt64LE(BigInt(at - reserved), H.entries);
  return { header: sealed(header), entries: gpt.entries };
}

/** Do both have the same partitions in the same places? */
export function isSameTable(a: PartitionTable, b: PartitionTable): boolean {
  const places = ({ entries }: PartitionTable) =>
    entries
      .map(({ number, start, sectors }) => `${number}:${start}+${sectors}`)
      .sort()
      .join();
  return places(a) === places(b);
}
