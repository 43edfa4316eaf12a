import { decode, type Layout } from "../../bytes/struct.ts";
import type { Place } from "../partition.ts";
import { type FileSystem, isPowerOfTwo } from "./file-system.ts";

const layout = {
  sectorSize: { at: 11, type: "u16" },
  sectorsPerCluster: { at: 13, type: "u8" },
  reserved: { at: 14, type: "u16" },
  tables: { at: 16, type: "u8" },
  rootEntries: { at: 17, type: "u16" },
  sectors16: { at: 19, type: "u16" },
  tableSectors16: { at: 22, type: "u16" },
  sectors32: { at: 32, type: "u32" },
  tableSectors32: { at: 36, type: "u32" },
  rootCluster: { at: 44, type: "u32" },
  end: { at: 510, type: "u16" },
} as const satisfies Layout;

const BOOT_SECTOR = { name: "the boot sector", deviceOffset: 0, length: 512 };
const END_MARK = 0xaa55;
const ENTRY_BYTES = 32;
/** Clusters are counted from 2. */
const FIRST_CLUSTER = 2;

const fieldsOf = (sector: Uint8Array) => decode(layout, sector, true);
type Fields = ReturnType<typeof fieldsOf>;

const tableSectorsOf = ({ tableSectors16, tableSectors32 }: Fields) =>
  tableSectors16 || tableSectors32;

function flaw(sector: Uint8Array): string | null {
  const { end, sectorSize, sectorsPerCluster, reserved, tables } = fieldsOf(sector);
  if (end !== END_MARK) return "it does not end in 55 AA";
  if (!isPowerOfTwo(sectorSize, 512, 4096)) return `its sectors would have ${sectorSize} bytes`;
  if (!isPowerOfTwo(sectorsPerCluster, 1, 128)) {
    return `its clusters would have ${sectorsPerCluster} sectors`;
  }
  return reserved === 0 || tables === 0 ? "it knows no allocation table" : null;
}

function* tablePlaces(sector: Uint8Array): Iterable<Place> {
  const fields = fieldsOf(sector);
  const { sectorSize, reserved, tables } = fields;
  yield { name: "the reserved sectors", deviceOffset: 0, length: reserved * sectorSize };
  const length = tableSectorsOf(fields) * sectorSize;
  for (let table = 0; table < tables; table++) {
    const deviceOffset = reserved * sectorSize + table * length;
    yield { name: `allocation table ${table + 1} of ${tables}`, deviceOffset, length };
  }
}

/** FAT32 keeps its root directory in clusters, the others right behind the tables. */
function* rootPlaces(sector: Uint8Array): Iterable<Place> {
  const fields = fieldsOf(sector);
  const { sectorSize, sectorsPerCluster, reserved, tables, rootEntries, rootCluster } = fields;
  const tablesEnd = (reserved + tables * tableSectorsOf(fields)) * sectorSize;
  const clusterSize = sectorsPerCluster * sectorSize;
  const place =
    rootEntries > 0
      ? { deviceOffset: tablesEnd, length: rootEntries * ENTRY_BYTES }
      : {
          deviceOffset: tablesEnd + (rootCluster - FIRST_CLUSTER) * clusterSize,
          length: clusterSize,
        };
  yield { name: "the root directory", ...place };
}

/** FAT12, FAT16 and FAT32. */
export const fat: FileSystem = {
  names: ["FAT", "FAT12", "FAT16", "FAT32"],
  superblock: BOOT_SECTOR,
  flaw,
  size: (sector) => {
    const { sectors16, sectors32, sectorSize } = fieldsOf(sector);
    return (sectors16 || sectors32) * sectorSize;
  },
  rules: [
    { id: "FSS-FAT-TABLES", places: tablePlaces },
    { id: "FSS-FAT-ROOT", places: rootPlaces },
  ],
};
