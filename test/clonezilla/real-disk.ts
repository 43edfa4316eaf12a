import { truncateSync, writeFileSync } from "node:fs";
import { mountPoint, must, run } from "../real/stage.ts";
import { manifest, writeTree } from "../real/tree.ts";
import { makeDisk, type Part } from "./tables.ts";

const MiB = 2 ** 20;

/** A partition of a real disk, and what is in it. */
export interface RealPartition {
  readonly number: number;
  readonly holds: Holding;
}

type Holding = "ext4" | "NTFS" | "FAT" | "swap" | "volume group" | "extended";

export interface RealDisk {
  readonly label: "gpt" | "dos";
  readonly size: number;
  readonly parts: readonly Part[];
  readonly partitions: readonly RealPartition[];
}

const at = (start: number, size: number, type: string, more = ""): Part => ({
  ...{ start: start * 2048, size: size * 2048, type, more },
});

export const GPT_DISK: RealDisk = {
  label: "gpt",
  size: 150 * MiB,
  parts: [
    at(1, 40, "0FC63DAF-8483-4772-8E79-3D69D8477DE4", ', name="root fs"'),
    at(41, 40, "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7", ', name="größer", attrs="GUID:60"'),
    at(81, 12, "0657FD6D-A4AB-43C4-84E5-0933C84B4F4F"),
    at(93, 48, "E6D6D379-F507-44C2-A23C-238F2A3DF928"),
  ],
  partitions: [
    { number: 1, holds: "ext4" },
    { number: 2, holds: "NTFS" },
    { number: 3, holds: "swap" },
    { number: 4, holds: "volume group" },
  ],
};

export const MBR_DISK: RealDisk = {
  label: "dos",
  size: 150 * MiB,
  parts: [
    at(1, 40, "83", ", bootable"),
    at(41, 30, "7"),
    at(75, 75, "f"),
    at(76, 20, "83"),
    at(97, 12, "82"),
    at(112, 36, "c"),
  ],
  partitions: [
    { number: 1, holds: "ext4" },
    { number: 2, holds: "NTFS" },
    { number: 3, holds: "extended" },
    { number: 5, holds: "ext4" },
    { number: 6, holds: "swap" },
    { number: 7, holds: "FAT" },
  ],
};

const MAKE: Readonly<Record<string, (device: string) => readonly string[]>> = {
  ext4: (device) => ["mkfs.ext4", "-q", "-F", device],
  NTFS: (device) => ["mkntfs", "--quiet", "--force", "--fast", device],
  FAT: (device) => ["mkfs.fat", "-F", "32", device],
  swap: (device) => ["mkswap", "--quiet", "--label", "changing", device],
};

/** How the kernel, or a driver for it, shows the files read-only; `null`: none here does. */
const SHOW: Readonly<Record<string, (device: string, directory: string) => readonly string[]>> = {
  ext4: (device, directory) => ["mount", "-t", "ext4", "-o", "ro,noload", device, directory],
  NTFS: (device, directory) => ["ntfs-3g", "-o", "ro", device, directory],
};

const FILL: typeof SHOW = {
  ext4: (device, directory) => ["mount", "-t", "ext4", device, directory],
  NTFS: (device, directory) => ["ntfs-3g", device, directory],
};

/** Makes the disk in a file; returns its loop device, whose partitions the kernel knows. */
export function makeRealDisk(stack: DisposableStack, disk: RealDisk, file: string): string {
  makeDisk(file, disk.size, disk.label, disk.parts);
  const device = attached(stack, file);
  for (const { number, holds } of disk.partitions) fill(`${device}p${number}`, holds);
  return device;
}

/** A loop device with partitions, also where the kernel itself does not look for them. */
function attached(stack: DisposableStack, file: string): string {
  const device = must(["losetup", "--find", "--show", "--partscan", file]).trim();
  stack.defer(() => {
    run(["partx", "--delete", device]);
    must(["losetup", "--detach", device]);
  });
  run(["partx", "--add", device]);
  return device;
}

/** A file system with files, or a swap area. */
export function fill(device: string, holds: Holding | string): void {
  const make = MAKE[holds];
  if (make) must(make(device));
  const show = FILL[holds];
  if (!show) return;
  using stack = new DisposableStack();
  writeTree(
    mountPoint(stack, (directory) => show(device, directory)),
    holds === "ext4",
  );
}

/** The files on a device; `null`: it has none that could be shown here. */
export function filesOn(device: string, holds: string): string[] | null {
  const show = SHOW[holds];
  if (!show) return null;
  using stack = new DisposableStack();
  return manifest(mountPoint(stack, (directory) => show(device, directory)));
}

/** A file of zeros. */
export function sparse(path: string, size: number): string {
  writeFileSync(path, "");
  truncateSync(path, size);
  return path;
}
