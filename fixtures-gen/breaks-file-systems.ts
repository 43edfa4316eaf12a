import { type Break, rebuild } from "./break.ts";
import type { PartcloneV2Params } from "./fixture.ts";
import { CHUNK_ROOTS, TREE_ROOTS } from "./volume-btrfs.ts";
import { type VolumeName, volumeShape } from "./volumes.ts";

/** The volume's image without some blocks: checksums and counts are all right. */
function without(name: VolumeName, blocks: readonly number[]): Break {
  return {
    base: `fss-${name}`,
    apply: (fixture) => rebuild<PartcloneV2Params>(fixture, { runs: runsWithout(name, blocks) }),
  };
}

/** Alternating run lengths, the first of stored blocks. */
function runsWithout(name: VolumeName, blocks: readonly number[]): readonly number[] {
  const [stored = 0, free = 0] = volumeShape(name).runs;
  const runs: number[] = [];
  let from = 0;
  for (const block of blocks.toSorted((a, b) => a - b)) {
    runs.push(block - from, 1);
    from = block + 1;
  }
  return [...runs, stored - from, free];
}

export const fileSystemBreaks: Readonly<Record<string, Break>> = {
  "FSS-BLOCK-ZERO": without("ext", [0]),
  "FSS-SUPERBLOCK": {
    base: "fss-xfs",
    apply: (fixture) =>
      rebuild<PartcloneV2Params>(fixture, { volume: { name: "xfs", otherMagic: true } }),
  },
  "FSS-SIZE": {
    base: "fss-ntfs",
    apply: (fixture) =>
      rebuild<PartcloneV2Params>(fixture, { volume: { name: "ntfs", surplus: 2 } }),
  },
  "FSS-EXT-DESCRIPTORS": without("ext", [2]),
  "FSS-EXT-ROOT-INODE": without("ext", [5]),
  "FSS-NTFS-MFT": without("ntfs", [7]),
  "FSS-NTFS-MIRROR": without("ntfs", [32]),
  "FSS-FAT-TABLES": without("fat32", [5]),
  "FSS-FAT-ROOT": without("fat32", [7]),
  "FSS-EXFAT-BOOT": without("exfat", [23]),
  "FSS-EXFAT-TABLE": without("exfat", [25]),
  "FSS-EXFAT-BITMAP": without("exfat", [26]),
  "FSS-XFS-GROUPS": without("xfs", [67]),
  "FSS-BTRFS-CHUNK-ROOT": without("btrfs", CHUNK_ROOTS),
  "FSS-BTRFS-ROOT-TREE": without("btrfs", TREE_ROOTS),
  "FSS-BTRFS-COPIES": without("btrfs", TREE_ROOTS.slice(1)),
  "FSS-F2FS-CHECKPOINT": without("f2fs", [18]),
};
