import { expect } from "bun:test";
import { closeSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand, scriptOf } from "../cli/program.ts";
import { must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { mountFolder } from "./mounted.ts";
import { filesOn, GPT_DISK, MBR_DISK, makeRealDisk, type RealDisk } from "./real-disk.ts";
import { expectSameGroup, makeVolume } from "./real-group.ts";
import { expectSameDisk } from "./same-disk.ts";

/** Folders as FOG makes them, with its commands: FOG itself is a server. */

const TIMEOUT = 60_000;
const NEEDS = [
  ...["root", "/dev/fuse", "/dev/loop-control", "kernel:ext4", "partx", "sfdisk", "sgdisk"],
  ...["mkfs.ext4", "mkntfs", "ntfs-3g", "mkfs.fat", "mkswap", "partclone.extfs", "blkid"],
  ...["pigz", "zstd", "split", "pvcreate", "vgcfgrestore"],
];

/** What FOG runs for what is on a partition; a volume group is saved whole. */
const SAVERS: Readonly<Record<string, string>> = {
  ext4: "partclone.extfs",
  NTFS: "partclone.ntfs",
  FAT: "partclone.vfat",
  "volume group": "partclone.imager",
};

interface FogDisk {
  readonly title: string;
  readonly disk: RealDisk;
  /** From the uncompressed image to `$1`, without a suffix. */
  readonly write: string;
  /** FOG takes the suffix from an image in one piece. */
  readonly isWhole: boolean;
}

const disks: readonly FogDisk[] = [
  {
    ...{ title: "GPT, format 5", disk: GPT_DISK, isWhole: true },
    write: 'zstdmt -q --rsyncable --ultra -3 > "$1.000"',
  },
  {
    ...{ title: "MBR, format 2", disk: MBR_DISK, isWhole: false },
    write: 'pigz -6 | split -a 3 -d -b 1m - "$1."',
  },
];

function fogSave(stack: DisposableStack, { disk, write, isWhole }: FogDisk, path: string): string {
  const folder = scratchDirectory(stack);
  const file = (name: string) => join(folder, name);
  const swaps: string[] = [];
  for (const { number, holds } of disk.partitions) {
    const device = `${path}p${number}`;
    const image = file(`d1p${number}.img`);
    const saver = SAVERS[holds];
    if (saver) {
      const save = `${saver} -q -f0 -L /dev/null -a0 -c -s ${device} -o -`;
      must(["sh", "-c", `${save} 2>/dev/null | ${write}`, "sh", image]);
      if (isWhole) renameSync(`${image}.000`, image);
    } else if (holds === "swap") {
      swaps.push(`${device} ${must(["blkid", "-s", "UUID", "-o", "value", device]).trim()}\n`);
    } else {
      must(["dd", `if=${device}`, `of=${file(`d1p${number}.ebr`)}`, "bs=512", "count=1"]);
    }
  }
  writeFileSync(file("d1.original.swapuuids"), swaps.join(""));
  writeFileSync(file("d1.partitions"), must(["sfdisk", "--dump", path]));
  writeFileSync(file("d1.size"), `1:${disk.size}\n`);
  if (disk.label === "gpt") must(["sgdisk", "--backup", file("d1.mbr"), path]);
  else writeFileSync(file("d1.mbr"), firstSector(path));
  return folder;
}

function firstSector(path: string): Buffer {
  const sector = Buffer.alloc(512);
  const fd = openSync(path, "r");
  readSync(fd, sector, 0, sector.length, 0);
  closeSync(fd);
  return sector;
}

for (const each of disks) {
  testWith(
    NEEDS,
    `FOG's folder of a disk with ${each.title}`,
    async () => {
      using stack = new DisposableStack();
      const { disk } = each;
      const original = join(scratchDirectory(stack), "disk");
      const path = makeRealDisk(stack, disk, original);
      const group = disk.partitions.find(({ holds }) => holds === "volume group");
      if (group) makeVolume(stack, stack, `${path}p${group.number}`);
      const files = new Map(
        disk.partitions.map(({ number, holds }) => [number, filesOn(`${path}p${number}`, holds)]),
      );
      must(["sync"]);
      const folder = fogSave(stack, each, path);
      const told = runCommand([process.execPath, scriptOf("vclonezilla"), folder]);
      expect(told).toMatchObject({ status: 0, err: "" });
      await using mounted = mountFolder(folder);
      const shown = join(mounted.path, "d1");
      // FOG saves no labels of swap areas.
      const swap = disk.partitions.find(({ holds }) => holds === "swap");
      must(["swaplabel", "--label", "", `${path}p${swap?.number}`]);
      must(["sync"]);
      expectSameDisk(disk, { shown, original, files }, expectSameGroup);
    },
    TIMEOUT,
  );
}
