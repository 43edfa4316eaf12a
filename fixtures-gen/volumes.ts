import { put, type Struct, type Values } from "./struct.ts";
import { btrfsPieces } from "./volume-btrfs.ts";

/** Bytes of a file system's structures, at their place in the partition. */
export interface Piece {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface VolumeParams {
  readonly name: VolumeName;
  /** The superblock's magic is another one (FSS-SUPERBLOCK). */
  readonly otherMagic?: boolean;
  /** Sectors or blocks that the superblock says too much (FSS-SIZE). */
  readonly surplus?: number;
}

/** Just enough of a file system for spec/file-systems.md: its tables are followed here. */
interface Volume {
  readonly fsType: string;
  readonly blockSize: number;
  readonly blocks: number;
  /** Bytes of the device past the last block. */
  readonly tail: number;
  /** Where its magic begins. */
  readonly magicAt: number;
  readonly pieces: (surplus: number) => readonly Piece[];
}

export function record<S extends Struct>(
  at: number,
  size: number,
  struct: S,
  values: Values<S>,
  order: "little" | "big" = "little",
): Piece {
  const bytes = new Uint8Array(size);
  put(bytes, struct, values, order);
  return { at, bytes };
}

const EXT = {
  blocks: [4, 4],
  firstDataBlock: [20, 4],
  logBlockSize: [24, 4],
  blocksPerGroup: [32, 4],
  magic: [56, 2],
  revision: [76, 4],
  inodeSize: [88, 2],
  readOnlyCompatible: [100, 4],
} as const;
const EXT_DESCRIPTOR = { inodeTable: [8, 4] } as const;
/** spec/file-systems.md, "NTFS". */
export const NTFS_BOOT_SECTOR = {
  name: [3, 8],
  sectorSize: [11, 2],
  clusterSectors: [13, 1],
  sectors: [40, 8],
  mft: [48, 8],
  mirror: [56, 8],
  recordSize: [64, 1],
} as const;
const FAT = {
  sectorSize: [11, 2],
  clusterSectors: [13, 1],
  reserved: [14, 2],
  tables: [16, 1],
  sectors: [32, 4],
  tableSectors: [36, 4],
  rootCluster: [44, 4],
  end: [510, 2],
} as const;
const EXFAT = {
  name: [3, 8],
  sectors: [72, 8],
  table: [80, 4],
  tableSectors: [84, 4],
  heap: [88, 4],
  rootCluster: [96, 4],
  sectorShift: [108, 1],
  clusterShift: [109, 1],
  tables: [110, 1],
} as const;
const EXFAT_BITMAP = { type: [0, 1], cluster: [20, 4], length: [24, 8] } as const;
const XFS = {
  magic: [0, 4],
  blockSize: [4, 4],
  blocks: [8, 8],
  groupBlocks: [84, 4],
  groups: [88, 4],
  sectorSize: [102, 2],
} as const;
const F2FS = {
  magic: [0, 4],
  logBlockSize: [16, 4],
  logSegmentBlocks: [20, 4],
  blocks: [36, 8],
  checkpoint: [76, 4],
} as const;
const F2FS_PACK = { version: [0, 8], blocks: [136, 4] } as const;

const volumes = {
  ext: {
    ...{ fsType: "EXTFS", blockSize: 1024, blocks: 64, tail: 0, magicAt: 1024 + 56 },
    pieces: (surplus) => [
      record(1024, 1024, EXT, {
        blocks: 64 + surplus,
        firstDataBlock: 1,
        blocksPerGroup: 8192,
        magic: 0xef53,
        revision: 1,
        inodeSize: 128,
        readOnlyCompatible: 1,
      }),
      record(2048, 32, EXT_DESCRIPTOR, { inodeTable: 5 }),
    ],
  },
  ntfs: {
    ...{ fsType: "NTFS", blockSize: 1024, blocks: 64, tail: 512, magicAt: 3 },
    pieces: (surplus) => [
      record(0, 512, NTFS_BOOT_SECTOR, {
        name: "NTFS    ",
        sectorSize: 512,
        clusterSectors: 2,
        sectors: 128 + surplus,
        mft: 4,
        mirror: 32,
        recordSize: 1,
      }),
    ],
  },
  fat32: {
    ...{ fsType: "FAT32", blockSize: 512, blocks: 64, tail: 0, magicAt: 510 },
    pieces: (surplus) => [
      record(0, 512, FAT, {
        sectorSize: 512,
        clusterSectors: 1,
        reserved: 2,
        tables: 2,
        sectors: 64 + surplus,
        tableSectors: 2,
        rootCluster: 3,
        end: 0xaa55,
      }),
    ],
  },
  exfat: {
    ...{ fsType: "EXFAT", blockSize: 512, blocks: 64, tail: 0, magicAt: 3 },
    pieces: (surplus) => [
      record(0, 512, EXFAT, {
        name: "EXFAT   ",
        sectors: 64 + surplus,
        table: 24,
        tableSectors: 2,
        heap: 26,
        rootCluster: 4,
        sectorShift: 9,
        clusterShift: 1,
        tables: 1,
      }),
      // The root directory: a name that is not used, then the bitmap, in cluster 2.
      record(30 * 512 + 32, 1024 - 32, EXFAT_BITMAP, { type: 0x81, cluster: 2, length: 5 }),
    ],
  },
  xfs: {
    ...{ fsType: "XFS", blockSize: 512, blocks: 128, tail: 0, magicAt: 0 },
    pieces: (surplus) => {
      const sizes = { blockSize: 512, groupBlocks: 64, groups: 2, sectorSize: 512 };
      return [record(0, 512, XFS, { magic: "XFSB", blocks: 128 + surplus, ...sizes }, "big")];
    },
  },
  btrfs: {
    ...{ fsType: "BTRFS", blockSize: 4096, blocks: 32, tail: 0, magicAt: 65536 + 64 },
    pieces: (surplus) => btrfsPieces(32 + surplus),
  },
  f2fs: {
    ...{ fsType: "F2FS", blockSize: 4096, blocks: 32, tail: 0, magicAt: 1024 },
    pieces: (surplus) => {
      const sizes = { logBlockSize: 12, logSegmentBlocks: 3, checkpoint: 8 };
      return [
        record(1024, 128, F2FS, { magic: 0xf2f52010, blocks: 32 + surplus, ...sizes }),
        record(8 * 4096, 140, F2FS_PACK, { version: 4, blocks: 3 }),
        record(16 * 4096, 140, F2FS_PACK, { version: 5, blocks: 3 }),
      ];
    },
  },
} as const satisfies Readonly<Record<string, Volume>>;

export type VolumeName = keyof typeof volumes;
export const volumeNames = Object.keys(volumes) as readonly VolumeName[];

/** What an image of the volume says of it. The last two blocks are free. */
export function volumeShape(name: VolumeName) {
  const { fsType, blockSize, blocks, tail } = volumes[name];
  return { fsType, blockSize, tail, runs: [blocks - 2, 2] };
}

/** Writes the volume's structures where their blocks are stored. */
export function writeVolume(
  partition: Uint8Array,
  { name, otherMagic = false, surplus = 0 }: VolumeParams,
  isStored: (block: number) => boolean,
): void {
  const { blockSize, magicAt, pieces } = volumes[name];
  for (const { at, bytes } of pieces(surplus)) {
    for (let done = 0; done < bytes.length; ) {
      const block = Math.floor((at + done) / blockSize);
      const part = bytes.subarray(done, (block + 1) * blockSize - at);
      if (isStored(block)) partition.set(part, at + done);
      done += part.length;
    }
  }
  if (otherMagic) partition[magicAt] = (partition[magicAt] ?? 0) ^ 1;
}
