import { describe, expect } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { conform } from "../../src/conformance/conform.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { ntfsclone, partclone, type Saver } from "../real/savers.ts";
import { type Argv, must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { brokenIn } from "./judged.ts";

/** Whatever the real tools can write here: each file system that has a mkfs, with each option. */

const MiB = 2 ** 20;

/** Modes of checksum (`-a`), blocks per checksum (`-k`), without reseed (`-K`, not with `-a0`). */
const OPTIONS: readonly Argv[] = [
  [],
  ["-a0"],
  ["-a1"],
  ["-a1", "-k1"],
  ["-a1", "-k7"],
  ["-a1", "-k4096"],
  ["-a1", "-K"],
  ["-a1", "-k8", "-K"],
];

const byPartclone = (...types: readonly string[]): readonly Saver[] =>
  types.flatMap((type) => OPTIONS.map((options) => partclone(type, options)));

interface Volume {
  readonly size: number;
  readonly mkfs: Argv;
  readonly savers: readonly Saver[];
}

const volume = (size: number, mkfs: Argv, ...savers: readonly Saver[]): Volume => ({
  size: size * MiB,
  mkfs,
  savers,
});

/** `partclone.dd` copies without a header, and no package here makes HFS+: all its others. */
const VOLUMES: readonly Volume[] = [
  volume(8, ["mkfs.ext2", "-q", "-F", "-b", "2048"], ...byPartclone("ext2")),
  volume(16, ["mkfs.ext3", "-q", "-F"], ...byPartclone("ext3")),
  volume(32, ["mkfs.ext4", "-q", "-F", "-b", "4096"], ...byPartclone("ext4")),
  volume(4, ["mkfs.ext4", "-q", "-F"], ...byPartclone("imager")),
  // No multiple of 8 blocks of 4 KiB (ext4), of 512 bytes (imager).
  volume(
    (1003 * 4096 + 512) / MiB,
    ["mkfs.ext4", "-q", "-F", "-b", "4096"],
    partclone("extfs", ["-a1"]),
    partclone("imager", ["-a1"]),
  ),
  ...["512", "4096", "65536"].map((clusters) =>
    volume(
      // No whole number of clusters: the backup boot sector lies past them.
      40 + 512 / MiB,
      ["mkntfs", "-q", "-F", "-Q", "-c", clusters],
      ...byPartclone("ntfs"),
      ntfsclone("full"),
      ntfsclone("metadata"),
    ),
  ),
  volume(2, ["mkfs.fat", "-F", "12"], ...byPartclone("fat12")),
  volume(16, ["mkfs.fat", "-F", "16"], ...byPartclone("fat16")),
  volume(40, ["mkfs.fat", "-F", "32"], ...byPartclone("fat32", "vfat")),
  volume(64, ["mkfs.exfat"], ...byPartclone("exfat")),
  volume(300, ["mkfs.xfs", "-q"], ...byPartclone("xfs")),
  volume(120, ["mkfs.btrfs", "--quiet"], ...byPartclone("btrfs")),
  volume(101, ["mkfs.f2fs", "-q"], ...byPartclone("f2fs")),
  // partclone.minix knows no version 3.
  volume(8, ["mkfs.minix", "-1"], ...byPartclone("minix")),
  volume(8, ["mkfs.minix", "-2"], ...byPartclone("minix")),
  volume(600, ["mkapfs"], ...byPartclone("apfs")),
  volume(64, ["mkfs.reiser4", "-f", "-y"], ...byPartclone("reiser4")),
];

/** The SHOULD rules that images of real tools break. */
const brokenByTools: Readonly<Record<string, readonly string[]>> = {
  "ntfsclone --metadata": ["NTC-IN-USE", "NTC-ORDER"],
  "partclone.btrfs": ["FSS-BTRFS-COPIES"],
  "partclone.extfs": ["PC2-STRAY-BITS"],
  "partclone.imager": ["PC2-STRAY-BITS"],
};
const mayBreak = (title: string) =>
  Object.entries(brokenByTools).flatMap(([name, rules]) => (title.startsWith(name) ? rules : []));

describe("what a real tool writes passes every MUST rule", () => {
  for (const { size, mkfs, savers } of VOLUMES) {
    const [tool = ""] = mkfs;
    const needs = [tool, ...new Set(savers.flatMap((saver) => saver.needs))];
    const title = `${mkfs.join(" ")}: ${savers.length} images`;
    testWith(needs, title, () => judgeAll(size, mkfs, savers), 60_000);
  }
});

async function judgeAll(size: number, mkfs: Argv, savers: readonly Saver[]): Promise<void> {
  using stack = new DisposableStack();
  const directory = scratchDirectory(stack);
  const path = join(directory, "volume");
  writeFileSync(path, "");
  truncateSync(path, size);
  must([...mkfs, path]);
  for (const [index, { title, save }] of savers.entries()) {
    const image = join(directory, `image-${index}`);
    must(save(path, image));
    await using source = openFile(image);
    const report = await conform(new SourceStream(source), source);
    expect([title, report.conforms]).toEqual([title, true]);
    expect([title, ...mayBreak(title)]).toEqual(
      expect.arrayContaining([title, ...brokenIn(report)]),
    );
  }
}
