import { decode, type Layout } from "../../bytes/struct.ts";
import type { Place } from "../partition.ts";
import { type FileSystem, isPowerOfTwo } from "./file-system.ts";

const layout = {
  magic: { at: 3, type: "text", size: 8 },
  sectorSize: { at: 11, type: "u16" },
  sectorsPerCluster: { at: 13, type: "u8" },
  sectors: { at: 40, type: "u64" },
  mftCluster: { at: 48, type: "u64" },
  mirrorCluster: { at: 56, type: "u64" },
  recordSize: { at: 64, type: "u8" },
} as const satisfies Layout;

const BOOT_SECTOR = { name: "the boot sector", deviceOffset: 0, length: 512 };
/** $MFT, $MFTMirr, $LogFile, $Volume: what $MFTMirr holds copies of. */
const MIRRORED_RECORDS = 4;

const fieldsOf = (sector: Uint8Array) => decode(layout, sector, true);
type Fields = ReturnType<typeof fieldsOf>;

/** Values from 128 on are negative powers: 246 is 2^10. */
const clusterSizeOf = ({ sectorSize, sectorsPerCluster }: Fields) =>
  sectorSize * (sectorsPerCluster > 128 ? 2 ** (256 - sectorsPerCluster) : sectorsPerCluster);
const recordSizeOf = (fields: Fields) =>
  fields.recordSize >= 128
    ? 2 ** (256 - fields.recordSize)
    : fields.recordSize * clusterSizeOf(fields);

function flaw(sector: Uint8Array): string | null {
  const fields = fieldsOf(sector);
  if (fields.magic !== "NTFS    ") return "it does not say NTFS";
  if (!isPowerOfTwo(fields.sectorSize, 256, 4096)) {
    return `its sectors would have ${fields.sectorSize} bytes`;
  }
  return isPowerOfTwo(clusterSizeOf(fields), 256, 2 ** 21)
    ? null
    : `its clusters would have ${clusterSizeOf(fields)} bytes`;
}

function records(name: string, cluster: bigint, fields: Fields): Place[] {
  const deviceOffset = Number(cluster) * clusterSizeOf(fields);
  return [{ name, deviceOffset, length: MIRRORED_RECORDS * recordSizeOf(fields) }];
}

export const ntfs: FileSystem = {
  names: ["NTFS"],
  superblock: BOOT_SECTOR,
  flaw,
  size: (sector) => {
    const fields = fieldsOf(sector);
    return Number(fields.sectors) * fields.sectorSize;
  },
  rules: [
    {
      id: "FSS-NTFS-MFT",
      places: (sector) => {
        const fields = fieldsOf(sector);
        return records("the first records of $MFT", fields.mftCluster, fields);
      },
    },
    {
      id: "FSS-NTFS-MIRROR",
      places: (sector) => {
        const fields = fieldsOf(sector);
        return records("the records of $MFTMirr", fields.mirrorCluster, fields);
      },
    },
  ],
};
