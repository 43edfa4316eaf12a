import { describe, expect, test } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import { exampleParams } from "../../fixtures-gen/examples.ts";
import { conform } from "../../src/conformance/conform.ts";
import { fileSystems, judgeFileSystem } from "../../src/conformance/file-system-sense.ts";
import { Partition, type Place } from "../../src/conformance/partition.ts";
import type { Image } from "../../src/image/image.ts";
import { openFile } from "../../src/source/file.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";
import { type Argv, must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { brokenIn, reportOn } from "./judged.ts";

const MiB = 2 ** 20;

/** A file system made by its own mkfs, and what partclone names it. */
interface Made {
  readonly fsType: string;
  readonly mkfs: Argv;
  readonly size: number;
  readonly saver: string;
}

const ext = (size: number, ...options: Argv): Made => ({
  fsType: "EXTFS",
  mkfs: ["mkfs.ext4", "-q", "-F", ...options],
  size: size * MiB,
  saver: "partclone.extfs",
});
const other = (fsType: string, size: number, mkfs: Argv): Made => ({
  fsType,
  mkfs,
  size: size * MiB,
  saver: `partclone.${fsType.toLowerCase()}`,
});

const made: readonly Made[] = [
  ext(16, "-b", "1024"),
  ext(16, "-b", "2048", "-O", "^64bit"),
  ext(32, "-b", "4096", "-O", "^has_journal,^flex_bg,^64bit,^extents"),
  ext(64, "-b", "1024", "-g", "256", "-O", "meta_bg,^resize_inode"),
  ext(64, "-b", "1024", "-g", "256", "-O", "meta_bg,^resize_inode,sparse_super2"),
  ext(64, "-b", "1024", "-g", "512", "-O", "^resize_inode,^sparse_super"),
  ext(64, "-b", "4096", "-g", "4096", "-O", "meta_bg,^resize_inode,^64bit"),
  ext(8, "-r", "0", "-b", "1024", "-O", "none"),
  other("NTFS", 8, ["mkntfs", "-q", "-F", "-Q"]),
  other("NTFS", 8, ["mkntfs", "-q", "-F", "-Q", "-c", "512"]),
  other("NTFS", 64, ["mkntfs", "-q", "-F", "-Q", "-c", "65536"]),
  other("FAT12", 2, ["mkfs.fat", "-F", "12"]),
  other("FAT16", 16, ["mkfs.fat", "-F", "16"]),
  other("FAT32", 40, ["mkfs.fat", "-F", "32", "-s", "1"]),
  other("FAT32", 64, ["mkfs.fat", "-F", "32", "-R", "64", "-f", "1"]),
  other("EXFAT", 8, ["mkfs.exfat"]),
  other("EXFAT", 64, ["mkfs.exfat", "-c", "64K"]),
  other("XFS", 600, ["mkfs.xfs", "-q", "-d", "agcount=5"]),
  other("BTRFS", 120, ["mkfs.btrfs", "--quiet"]),
  other("BTRFS", 120, ["mkfs.btrfs", "--quiet", "-m", "single", "-n", "4096"]),
  other("F2FS", 101, ["mkfs.f2fs", "-q"]),
];

/** The volume itself, as an image that stores every block. */
function wholeImage(source: ByteSource, fsType: string): Image {
  const blockSize = 512;
  const gap = { untilGap: Infinity, gapEvery: Infinity, gapBytes: 0 };
  return {
    ...{ format: "raw", fsType, deviceSize: source.size, blockSize, source },
    blockCount: source.size / blockSize,
    storedBlocks: source.size / blockSize,
    runAt: (block, limit) => ({
      ...{ block, count: limit },
      stored: { imageOffset: block * blockSize, ...gap },
    }),
  };
}

const textAt = (bytes: Uint8Array, at: number, length: number) =>
  String.fromCharCode(...bytes.subarray(at, at + length));
const u16 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer).getUint16(at, true);
const isDirectory = (mode: number) => (mode & 0xf000) === 0x4000;
/** What mkfs has put at a rule's first place: a place computed wrongly would hold something else. */
const contents: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = {
  "FSS-EXT-ROOT-INODE": (bytes) => isDirectory(u16(bytes, 0)),
  "FSS-NTFS-MFT": (bytes) => textAt(bytes, 0, 4) === "FILE",
  "FSS-NTFS-MIRROR": (bytes) => textAt(bytes, 0, 4) === "FILE",
  "FSS-EXFAT-BOOT": (bytes) => textAt(bytes, 3, 5) === "EXFAT",
  "FSS-EXFAT-TABLE": (bytes) => bytes[0] === 0xf8 && bytes[4] === 0xff,
  "FSS-FAT-ROOT": (bytes) => bytes.every((byte) => byte === 0),
  "FSS-XFS-GROUPS": (bytes) => textAt(bytes, bytes.length / 4, 4) === "XAGF",
  // A node begins with a checksum, the file system's id, and its own logical address.
  "FSS-BTRFS-CHUNK-ROOT": (bytes) => bytes[100] === 0 && u16(bytes, 96) > 1 && bytes[88] === 3,
  "FSS-BTRFS-ROOT-TREE": (bytes) => u16(bytes, 96) > 1 && bytes[88] === 1,
  "FSS-BTRFS-COPIES": (bytes) => u16(bytes, 96) > 1,
  "FSS-F2FS-CHECKPOINT": (bytes) => u16(bytes, 136) > 0,
};

async function expectRealPlaces(volume: string, fsType: string): Promise<void> {
  await using source = openFile(volume);
  const partition = new Partition(wholeImage(source, fsType));
  const fileSystem = fileSystems.find(({ names }) => names.includes(fsType));
  if (!fileSystem) throw new Error(`${fsType} is not known`);
  const read = ({ deviceOffset, length }: Place) => partition.read(deviceOffset, length);
  const superblock = await read(fileSystem.superblock);
  expect(fileSystem.flaw(superblock)).toBeNull();
  expect(fileSystem.size(superblock)).toBeLessThanOrEqual(source.size);
  for (const { id, places } of fileSystem.rules) {
    const all: Place[] = [];
    for await (const place of places(superblock, partition)) all.push(place);
    expect(all.filter((place) => !partition.isOnDevice(place))).toEqual([]);
    const [first] = all;
    if (!first) throw new Error(`${id} has no place`);
    expect([id, contents[id]?.(await read(first)) ?? true]).toEqual([id, true]);
  }
}

describe("what the rules look for is where mkfs put it, and stored", () => {
  for (const { fsType, mkfs, size, saver } of made) {
    const [tool = ""] = mkfs;
    const title = `${mkfs.join(" ")}, ${size / MiB} MiB`;
    testWith([tool, saver], title, async () => {
      using stack = new DisposableStack();
      const directory = scratchDirectory(stack);
      const [volume, image] = [join(directory, "volume"), join(directory, "image")];
      writeFileSync(volume, "");
      truncateSync(volume, size);
      must([...mkfs, volume]);
      await expectRealPlaces(volume, fsType);
      must([saver, "-c", "-q", "-f0", "-L", "/dev/null", "-s", volume, "-o", image]);
      await using source = openFile(image);
      const report = await conform(new SourceStream(source), source);
      // partclone.btrfs stores one copy of what is kept twice (FSS-BTRFS-COPIES).
      const copies = fsType === "BTRFS" && !mkfs.includes("single") ? ["FSS-BTRFS-COPIES"] : [];
      expect(brokenIn(report)).toEqual(copies);
      // A pipe passes once; what the file systems need is remembered.
      const piped = await conform(new SourceStream(source), null);
      expect(piped.verdicts.filter(({ verdict }) => verdict.status === "not judged")).toEqual([]);
    });
  }
});

test("group descriptors larger than a block are a flaw, not a way without end", async () => {
  const bytes = new Uint8Array(64 * 1024);
  const superblock = new DataView(bytes.buffer, 1024, 1024);
  // Blocks, first data block, blocks per group; 64bit and meta_bg.
  const fields = { 4: 64, 20: 1, 32: 256, 96: 0x90 };
  for (const [at, value] of Object.entries(fields)) superblock.setUint32(Number(at), value, true);
  superblock.setUint16(56, 0xef53, true);
  superblock.setUint16(254, 2048, true);
  const verdicts = await judgeFileSystem(wholeImage(memorySource(bytes), "EXTFS"));
  expect(verdicts.get("FSS-SUPERBLOCK")).toMatchObject({ status: "fail" });
});

test("a superblock that promises billions of groups does not keep the check busy", async () => {
  const superblock = Buffer.alloc(512);
  superblock.write("XFSB");
  superblock.writeUInt32BE(512, 4);
  superblock.writeUInt32BE(64, 84);
  superblock.writeUInt32BE(2 ** 32 - 1, 88);
  superblock.writeUInt16BE(512, 102);
  const image = wholeImage(memorySource(superblock), "XFS");
  const verdicts = await judgeFileSystem({ ...image, deviceSize: 2 ** 52, blockCount: 2 ** 43 });
  expect(verdicts.get("FSS-XFS-GROUPS")?.status).toBe("not judged");
}, 10_000);

test.each(["fss-ntfs", "fss-f2fs"] as const)("%s without block 0 breaks one rule", async (name) => {
  const params = exampleParams[name];
  const [stored = 0, free = 0] = params.runs;
  const { image } = build({ ...params, runs: [0, 1, stored - 1, free] });
  expect(brokenIn(await reportOn(image))).toEqual(["FSS-BLOCK-ZERO"]);
});
