import { decode, type Layout } from "../../bytes/struct.ts";
import type { Partition, Place } from "../partition.ts";
import type { FileSystem } from "./file-system.ts";

const layout = {
  magic: { at: 3, type: "text", size: 8 },
  sectors: { at: 72, type: "u64" },
  tableOffset: { at: 80, type: "u32" },
  tableLength: { at: 84, type: "u32" },
  heapOffset: { at: 88, type: "u32" },
  rootCluster: { at: 96, type: "u32" },
  sectorShift: { at: 108, type: "u8" },
  clusterShift: { at: 109, type: "u8" },
  tables: { at: 110, type: "u8" },
} as const satisfies Layout;

const BOOT_SECTOR = { name: "the boot sector", deviceOffset: 0, length: 512 };
/** Sectors of the boot region, which is stored twice. */
const BOOT_SECTORS = 12;
const FIRST_CLUSTER = 2;
/** A directory entry of the allocation bitmap: its type, its size, where its cluster and length are. */
const bitmapEntry = { type: 0x81, bytes: 32, clusterAt: 20, lengthAt: 24 } as const;
/** The bitmap's entry is among the first: it comes before every file. */
const ROOT_BYTES = 4096;

const fieldsOf = (sector: Uint8Array) => decode(layout, sector, true);
type Fields = ReturnType<typeof fieldsOf>;

function clusterOffset({ heapOffset, sectorShift, clusterShift }: Fields, cluster: number): number {
  const sectors = heapOffset + (cluster - FIRST_CLUSTER) * 2 ** clusterShift;
  return sectors * 2 ** sectorShift;
}

function flaw(sector: Uint8Array): string | null {
  const { magic, sectorShift, clusterShift } = fieldsOf(sector);
  if (magic !== "EXFAT   ") return "it does not say EXFAT";
  if (sectorShift < 9 || sectorShift > 12) return `its sectors would have 2^${sectorShift} bytes`;
  return sectorShift + clusterShift > 25
    ? `its clusters would have 2^${sectorShift + clusterShift} bytes`
    : null;
}

function* bootPlaces(sector: Uint8Array): Iterable<Place> {
  const length = BOOT_SECTORS * 2 ** fieldsOf(sector).sectorShift;
  yield { name: "the boot region", deviceOffset: 0, length };
  yield { name: "the backup boot region", deviceOffset: length, length };
}

function* tablePlaces(sector: Uint8Array): Iterable<Place> {
  const { tableOffset, tableLength, sectorShift, tables } = fieldsOf(sector);
  const name = "the allocation table";
  const sectorSize = 2 ** sectorShift;
  const length = tableLength * sectorSize;
  for (let table = 0; table < tables; table++) {
    yield { name, deviceOffset: tableOffset * sectorSize + table * length, length };
  }
}

async function* bitmapPlaces(sector: Uint8Array, partition: Partition) {
  const fields = fieldsOf(sector);
  const clusterSize = 2 ** (fields.sectorShift + fields.clusterShift);
  const deviceOffset = clusterOffset(fields, fields.rootCluster);
  yield { name: "the root directory", deviceOffset, length: clusterSize };
  const root = await partition.read(deviceOffset, Math.min(ROOT_BYTES, clusterSize));
  const view = new DataView(root.buffer);
  const { type, bytes, clusterAt, lengthAt } = bitmapEntry;
  for (let at = 0; at < root.length; at += bytes) {
    if (root[at] !== type) continue;
    const name = "the allocation bitmap";
    const length = Number(view.getBigUint64(at + lengthAt, true));
    const cluster = view.getUint32(at + clusterAt, true);
    yield { name, deviceOffset: clusterOffset(fields, cluster), length };
  }
}

export const exfat: FileSystem = {
  names: ["EXFAT"],
  superblock: BOOT_SECTOR,
  flaw,
  size: (sector) => {
    const { sectors, sectorShift } = fieldsOf(sector);
    return Number(sectors) * 2 ** sectorShift;
  },
  rules: [
    { id: "FSS-EXFAT-BOOT", places: bootPlaces },
    { id: "FSS-EXFAT-TABLE", places: tablePlaces },
    { id: "FSS-EXFAT-BITMAP", places: bitmapPlaces },
  ],
};
