import { expect } from "bun:test";
import { closeSync, openSync, readSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { runCommand, scriptOf } from "../cli/program.ts";
import { must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { lvm } from "./lvm.ts";
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

/** What FOG runs for what is on a partition. */
const SAVERS: Readonly<Record<string, string>> = {
  ext4: "partclone.extfs",
  NTFS: "partclone.ntfs",
  FAT: "partclone.vfat",
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

/** Saves the disk at `path`; `volume`: the bytes of its logical volume. */
function fogSave(
  stack: DisposableStack,
  { disk, write, isWhole }: FogDisk,
  path: string,
  volume: string | null,
): string {
  const folder = scratchDirectory(stack);
  const file = (name: string) => join(folder, name);
  const swaps: string[] = [];
  const saveImage = (saver: string, device: string, image: string) => {
    const save = `${saver} -q -f0 -L /dev/null -a0 -c -s ${device} -o -`;
    must(["sh", "-c", `${save} 2>/dev/null | ${write}`, "sh", image]);
    if (isWhole) renameSync(`${image}.000`, image);
  };
  for (const { number, holds } of disk.partitions) {
    const device = `${path}p${number}`;
    const saver = SAVERS[holds];
    if (saver) saveImage(saver, device, file(`d1p${number}.img`));
    else if (holds === "volume group" && volume !== null) {
      saveGroup(device, file(`d1p${number}.lvm`));
      saveImage("partclone.extfs", volume, file(`d1p${number}.root.img`));
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

/** As FOG saves them since 2026, each logical volume by itself. */
function saveGroup(device: string, list: string): void {
  lvm(device, "vgcfgbackup", "-f", `${list}.vgcfg`, "vgx");
  const field = (command: string, name: string) =>
    lvm(device, command, "--noheadings", "--units", "s", "--nosuffix", "-o", name).trim();
  const size = field("pvs", "pv_size");
  writeFileSync(
    list,
    `LVMFORMAT 2
PV ${field("pvs", "pv_uuid")} ${device} ${size} ${size}
VG vgx ${field("vgs", "vg_uuid")} ${field("vgs", "vg_extent_size")}
LV root ${field("lvs", "lv_uuid")} ${field("lvs", "lv_size")} ${field("lvs", "lv_size")} extfs ${basename(list, ".lvm")}.root.img -
`,
  );
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
      const volume = group ? makeVolume(stack, stack, `${path}p${group.number}`) : null;
      const files = new Map(
        disk.partitions.map(({ number, holds }) => [number, filesOn(`${path}p${number}`, holds)]),
      );
      must(["sync"]);
      const folder = fogSave(stack, each, path, volume);
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
