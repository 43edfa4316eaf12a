import { byDevice } from "./image-names.ts";
import { readText } from "./metadata.ts";
import { type PartitionTable, parseSfdiskDump } from "./partition-table.ts";

/** A disk of which the folder has more than the images of its partitions. */
export interface SavedDisk {
  /** `sda`, `nvme0n1`; FOG numbers them: `d1`. */
  readonly device: string;
  readonly table: PartitionTable | null;
  /** Bytes; `null`: unknown. */
  readonly size: number | null;
}

/** Files that tell of a disk, and its name in theirs. */
const OF_A_DISK = [
  /^(.+?)-(?:pt\.sf|pt\.parted|mbr|hidden-data-after-mbr|gpt-1st|chs\.sf)$/,
  /^(d\d+)\.(?:partitions|mbr|size)$/,
];

export function readDisks(folder: string, names: readonly string[]): SavedDisk[] {
  const devices = names.flatMap((name) =>
    OF_A_DISK.flatMap((shape) => shape.exec(name)?.[1] ?? []),
  );
  return [...new Set(devices)].sort(byDevice).map((device) => {
    const table = readTable(folder, device);
    return { device, table, size: readSize(folder, device, table) };
  });
}

function readTable(folder: string, device: string): PartitionTable | null {
  const dump = readText(folder, `${device}-pt.sf`) ?? readText(folder, `${device}.partitions`);
  return dump === null ? null : parseSfdiskDump(dump);
}

/** By the tools' own words, the exact ones first. */
function readSize(folder: string, device: string, table: PartitionTable | null): number | null {
  const sectorSize = table?.sectorSize ?? 512;
  const parted = readText(folder, `${device}-pt.parted`) ?? "";
  const sectors = /^Disk \/dev\/\S+: (\d+)s$/m.exec(parted)?.[1];
  if (sectors !== undefined) return Number(sectors) * sectorSize;
  const bytes = /^\d+:(\d+)/.exec(readText(folder, `${device}.size`) ?? "")?.[1];
  return bytes === undefined ? null : Number(bytes);
}
