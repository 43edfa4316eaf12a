import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Requirement } from "../require.ts";
import { ntfsclone, partclone, type Saver } from "./savers.ts";
import type { Argv } from "./stage.ts";
import { DELETED } from "./tree.ts";

const MiB = 2 ** 20;

export type MountArgv = (device: string, directory: string) => Argv;

/** How files get in or out: through a mount of the device, or by a tool that works on the file. */
export type Access =
  | { readonly by: "mount"; readonly argv: MountArgv }
  | { readonly by: "tool"; readonly argv: (volume: string, directory: string) => readonly Argv[] };

export interface FileSystem {
  readonly name: string;
  readonly size: number;
  readonly needs: readonly Requirement[];
  readonly make: (volume: string) => Argv;
  /** Puts the tree in; a tool also deletes, where it can. */
  readonly fill: Access;
  /** Whether it is filled in a way that knows symbolic links. */
  readonly links: boolean;
  /** Shows the files read-only, without a write to the volume; `null`: nothing here can. */
  readonly show: Access | null;
  readonly check: (volume: string) => Argv;
  readonly savers: readonly Saver[];
}

export const FILE_SYSTEMS: readonly FileSystem[] = [
  {
    name: "ext4",
    size: 32 * MiB,
    needs: ["mkfs.ext4", "e2fsck", "kernel:ext4"],
    make: (volume) => ["mkfs.ext4", "-q", "-F", "-b", "1024", volume],
    fill: { by: "mount", argv: kernelMount("ext4", "rw") },
    links: true,
    show: { by: "mount", argv: kernelMount("ext4", "ro,noload") },
    check: (volume) => ["e2fsck", "-fn", volume],
    savers: [
      partclone("extfs", ["-a0"]),
      partclone("extfs", ["-a1"]),
      partclone("extfs", ["-a1", "-k1"]),
      // 0.3.23 restores with a buffer of whole strips only: see savers.ts.
      partclone("extfs", ["-a1", "-k7"], ["-z", `${7 * 1024}`]),
      partclone("extfs", ["-a1", "-k8", "-K"]),
    ],
  },
  {
    name: "ext4 with blocks of 4 KiB",
    size: 32 * MiB,
    needs: ["mkfs.ext4", "e2fsck", "kernel:ext4"],
    make: (volume) => ["mkfs.ext4", "-q", "-F", "-b", "4096", volume],
    fill: { by: "mount", argv: kernelMount("ext4", "rw") },
    links: true,
    show: { by: "mount", argv: kernelMount("ext4", "ro,noload") },
    check: (volume) => ["e2fsck", "-fn", volume],
    savers: [partclone("extfs", [])],
  },
  {
    name: "NTFS",
    // No whole number of clusters: the last 512 bytes, the backup boot sector, lie past them.
    size: 40 * MiB + 512,
    needs: ["mkntfs", "ntfs-3g", "ntfsfix"],
    make: (volume) => ["mkntfs", "--quiet", "--force", "--fast", volume],
    fill: { by: "mount", argv: (device, directory) => ["ntfs-3g", device, directory] },
    links: false,
    show: { by: "mount", argv: (device, dir) => ["ntfs-3g", "-o", "ro", device, dir] },
    check: (volume) => ["ntfsfix", "--no-action", volume],
    savers: [partclone("ntfs", []), ntfsclone("full"), ntfsclone("metadata")],
  },
  {
    name: "FAT32",
    size: 40 * MiB,
    needs: ["mkfs.fat", "mcopy", "mdeltree", "fsck.fat"],
    make: (volume) => ["mkfs.fat", "-F", "32", volume],
    fill: {
      by: "tool",
      argv: (volume, tree) => [
        ["mcopy", "-Q", "-s", "-i", volume, ...entriesOf(tree), "::"],
        ["mdeltree", "-i", volume, `::${DELETED}`],
      ],
    },
    links: false,
    show: {
      by: "tool",
      argv: (volume, directory) => [["mcopy", "-Q", "-n", "-s", "-i", volume, "::*", directory]],
    },
    check: (volume) => ["fsck.fat", "-n", volume],
    savers: [partclone("fat32", [])],
  },
  {
    name: "exFAT",
    size: 64 * MiB,
    needs: ["mkfs.exfat", "mount.exfat-fuse", "fsck.exfat"],
    make: (volume) => ["mkfs.exfat", volume],
    fill: { by: "mount", argv: (device, directory) => ["mount.exfat-fuse", device, directory] },
    links: false,
    show: { by: "mount", argv: (device, dir) => ["mount.exfat-fuse", "-o", "ro", device, dir] },
    check: (volume) => ["fsck.exfat", "-n", volume],
    savers: [partclone("exfat", [])],
  },
  {
    name: "XFS",
    size: 300 * MiB,
    needs: ["mkfs.xfs", "xfs_repair", "kernel:xfs"],
    make: (volume) => ["mkfs.xfs", "-q", volume],
    fill: { by: "mount", argv: kernelMount("xfs", "rw") },
    links: true,
    show: { by: "mount", argv: kernelMount("xfs", "ro,norecovery,nouuid") },
    check: (volume) => ["xfs_repair", "-n", "-f", volume],
    savers: [partclone("xfs", [])],
  },
  {
    name: "Btrfs",
    size: 120 * MiB,
    needs: ["mkfs.btrfs", "btrfs", "kernel:btrfs"],
    make: (volume) => ["mkfs.btrfs", "--quiet", volume],
    fill: { by: "mount", argv: kernelMount("btrfs", "rw") },
    links: true,
    show: { by: "mount", argv: kernelMount("btrfs", "ro,rescue=nologreplay") },
    check: (volume) => ["btrfs", "check", "--readonly", volume],
    savers: [partclone("btrfs", [])],
  },
  {
    name: "F2FS",
    size: 101 * MiB,
    needs: ["mkfs.f2fs", "sload.f2fs", "fsck.f2fs"],
    make: (volume) => ["mkfs.f2fs", "-q", volume],
    fill: { by: "tool", argv: (volume, tree) => [["sload.f2fs", "-f", tree, volume]] },
    links: true,
    show: null,
    check: (volume) => ["fsck.f2fs", "--dry-run", volume],
    savers: [partclone("f2fs", [])],
  },
];

function kernelMount(type: string, options: string): MountArgv {
  return (device, dir) => ["mount", "-t", type, "-o", options, device, dir];
}

function entriesOf(directory: string): string[] {
  return readdirSync(directory).map((name) => join(directory, name));
}
