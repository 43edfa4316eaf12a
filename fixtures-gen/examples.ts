import { build } from "./build.ts";
import type {
  Fixture,
  FixtureParams,
  NtfscloneParams,
  PartcloneV1Params,
  PartcloneV2Params,
} from "./fixture.ts";
import { type VolumeName, volumeShape } from "./volumes.ts";

const v1: PartcloneV1Params = {
  format: "partclone-v1",
  seed: 1,
  blockSize: 1024,
  runs: [3, 5, 17, 1, 2, 40, 9],
  tail: 0,
  fsType: "EXTFS",
  otherValues: false,
  usedError: 0,
  checksumSize: 4,
};

/** 31 of 77 blocks present: with 8 blocks per checksum the last strip is short. */
const v2: PartcloneV2Params = {
  format: "partclone-v2",
  seed: 2,
  blockSize: 1024,
  runs: [3, 5, 17, 1, 2, 40, 9],
  tail: 0,
  fsType: "EXTFS",
  otherValues: false,
  byteOrder: "little",
  cpuBits: 64,
  checksumMode: "crc32",
  blocksPerChecksum: 8,
  reseed: true,
  bitmapMode: "bits",
  strayBits: false,
  usedSuperblockError: 0,
  usedBitmapError: 0,
};

/** 128 blocks: whole words of a 64-bit bitmap. */
const wholeWords: readonly number[] = [9, 70, 3, 10, 36];

const ntfs: NtfscloneParams = {
  format: "ntfsclone",
  seed: 3,
  clusterSize: 1024,
  clusters: 64,
  tail: 512,
  major: 10,
  minor: 1,
  byteOrder: "little",
  dataOffset: 56,
  inUseError: 0,
  visits: [
    { position: 0, count: 5 },
    { position: 20, count: 11 },
    { position: 40, count: 1 },
    { position: 64, count: 1 },
  ],
  gapPieces: 1,
};

/** The same volume without its backup boot sector; the image ends in a gap. */
const ntfsNoBackup: NtfscloneParams = { ...ntfs, minor: 0, visits: ntfs.visits.slice(0, -1) };

/** An image of a volume that is just a file system's superblock and what it leads to. */
function volume(name: VolumeName): PartcloneV2Params {
  return { ...v2, ...volumeShape(name), volume: { name } };
}

/** One named image for every variant of the formats. */
export const exampleParams = {
  "v1-plain": v1,
  "v1-empty": { ...v1, runs: [0, 40] },
  "v1-one-block": { ...v1, runs: [1] },
  "v1-ntfs-tail": { ...v1, fsType: "NTFS", blockSize: 4096, runs: [5, 3], tail: 512 },
  "v1-odd-block-size": { ...v1, blockSize: 1536 },
  "v1-other-values": { ...v1, otherValues: true },
  "v1-used-too-high": { ...v1, usedError: 12 },
  "v1-checksums-8-bytes": { ...v1, checksumSize: 8 },

  "v2-none": { ...v2, checksumMode: "none", blocksPerChecksum: 0 },
  "v2-none-idle-strips": { ...v2, checksumMode: "none" },
  "v2-crc32": v2,
  "v2-xxh64": { ...v2, checksumMode: "xxh64" },
  "v2-xxh128": { ...v2, checksumMode: "xxh128" },
  "v2-crc32-no-reseed": { ...v2, reseed: false },
  "v2-xxh64-no-reseed": { ...v2, checksumMode: "xxh64", reseed: false },
  "v2-xxh128-no-reseed": { ...v2, checksumMode: "xxh128", reseed: false },
  "v2-each-block": { ...v2, blocksPerChecksum: 1 },
  "v2-one-strip": { ...v2, blocksPerChecksum: 256 },
  "v2-full-last-strip": { ...v2, runs: [8, 5, 16, 40] },
  "v2-short-last-strip": { ...v2, blocksPerChecksum: 10 },
  "v2-empty": { ...v2, runs: [0, 40] },
  "v2-one-block": { ...v2, runs: [1] },
  "v2-ntfs-tail": { ...v2, fsType: "NTFS", blockSize: 4096, runs: [5, 3], tail: 512 },
  "v2-odd-block-size": { ...v2, blockSize: 1536 },
  "v2-large-blocks": { ...v2, blockSize: 65536, runs: [2, 1, 1] },
  // partclone.chkimg reads 1 MiB at a time: 16 blocks, then 3. It checks no short strip after a
  // read that is a multiple of the blocks per checksum.
  "v2-short-strip-chkimg-forgets": {
    ...v2,
    blockSize: 65536,
    runs: [19],
    blocksPerChecksum: 3,
  },
  "v2-bitmap-none": { ...v2, bitmapMode: "none" },
  "v2-bitmap-bytes": { ...v2, bitmapMode: "bytes" },
  "v2-other-values": { ...v2, bitmapMode: "bytes", otherValues: true },
  "v2-stray-bits": { ...v2, strayBits: true },
  "v2-32-bits": { ...v2, cpuBits: 32 },
  "v2-used-superblock-higher": { ...v2, usedSuperblockError: 12 },
  "v2-used-superblock-too-high": { ...v2, usedSuperblockError: 400 },
  "v2-used-bitmap-wrong": { ...v2, usedBitmapError: 12 },
  "v2-big-endian": { ...v2, byteOrder: "big", runs: wholeWords },
  "v2-big-endian-32-bits": { ...v2, byteOrder: "big", cpuBits: 32, runs: [9, 70, 3, 10, 4] },
  "v2-big-endian-xxh64": { ...v2, byteOrder: "big", checksumMode: "xxh64", runs: wholeWords },
  "v2-big-endian-xxh128": { ...v2, byteOrder: "big", checksumMode: "xxh128", runs: wholeWords },
  "v2-big-endian-bytes": { ...v2, byteOrder: "big", bitmapMode: "bytes" },
  "v2-big-endian-tail": { ...v2, byteOrder: "big" },

  "ntfs-10.1": ntfs,
  "ntfs-10.0": ntfsNoBackup,
  "ntfs-later-minor": { ...ntfs, minor: 7, dataOffset: 96 },
  "ntfs-shortest-header": { ...ntfs, dataOffset: 50 },
  "ntfs-old": { ...ntfsNoBackup, major: 3, minor: 1 },
  "ntfs-old-big-endian": { ...ntfsNoBackup, major: 3, minor: 1, byteOrder: "big" },
  "ntfs-backup-in-full-cluster": { ...ntfs, tail: 1024 },
  "ntfs-backup-in-longer-device": { ...ntfs, tail: 3000 },
  "ntfs-no-backup-boot": { ...ntfsNoBackup, minor: 1 },
  "ntfs-all-stored": { ...ntfs, visits: [{ position: 0, count: 65 }] },
  "ntfs-small-clusters": { ...ntfs, clusterSize: 256, tail: 256 },
  "ntfs-large-clusters": {
    ...ntfs,
    clusterSize: 65536,
    clusters: 4,
    visits: [
      { position: 0, count: 1 },
      { position: 2, count: 1 },
      { position: 4, count: 1 },
    ],
  },
  "ntfs-split-gaps": { ...ntfs, gapPieces: 3 },
  "ntfs-no-boot-sector": { ...ntfsNoBackup, visits: ntfsNoBackup.visits.slice(1) },
  "ntfs-in-use-wrong": { ...ntfs, inUseError: 3 },
  "ntfs-metadata": {
    ...ntfs,
    inUseError: 3,
    visits: [
      { position: 20, count: 4 },
      { position: 0, count: 2 },
      { position: 50, count: 3 },
      { position: 24, count: 2 },
      { position: 64, count: 1 },
    ],
  },
  "ntfs-stored-twice": {
    ...ntfs,
    visits: [
      { position: 0, count: 6 },
      { position: 30, count: 4 },
      { position: 4, count: 3 },
      { position: 31, count: 1 },
      { position: 64, count: 1 },
    ],
  },

  "fss-ext": volume("ext"),
  "fss-ntfs": volume("ntfs"),
  "fss-fat32": volume("fat32"),
  "fss-exfat": volume("exfat"),
  "fss-xfs": volume("xfs"),
  "fss-btrfs": volume("btrfs"),
  "fss-f2fs": volume("f2fs"),
} as const satisfies Record<string, FixtureParams>;

export type ExampleName = keyof typeof exampleParams;

export const exampleNames = Object.keys(exampleParams) as readonly ExampleName[];

/** Builds a named example anew, so that whoever takes it may change its bytes. */
export function example(name: ExampleName): Fixture {
  return build(exampleParams[name], name);
}
