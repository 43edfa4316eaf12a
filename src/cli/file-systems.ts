import { existsSync, readFileSync } from "node:fs";
import { release } from "node:os";

export interface MountCommand {
  /** The kernel's driver on a loop device, or a FUSE driver on the file itself. */
  readonly by: "kernel" | "fuse";
  readonly command: string;
  /** The kernel's driver, where the command is an alternative that only some kernels have. */
  readonly driver?: string;
}

/** How to check and to reach one file system read-only, though it may be unclean. */
export interface FileSystemCommands {
  /** The names that images give it. */
  readonly names: readonly string[];
  /** Checks without writing; `null` where there is no such tool. */
  readonly check: string | null;
  /** What the check finds that is no fault. */
  readonly remark?: string;
  /** How root reaches the files, the best way first. */
  readonly mounts: readonly [MountCommand, ...MountCommand[]];
  /**
   * How a user reaches them in a mount that lets nobody else in, with DIR for a directory of the
   * user's own; `null` where only root can. Drivers that are setuid, as ntfs-3g, are kept out, and
   * fuse2fs minds the files' owners unless it is told not to (fakeroot).
   */
  readonly alone: ((file: string) => string) | null;
}

const kernel = (command: string): MountCommand => ({ by: "kernel", command });

/**
 * No driver may write or replay a journal, as the partition is read-only: ext4 noload, XFS
 * norecovery (and nouuid, as the original may be mounted), Btrfs rescue=nologreplay. ext4's driver
 * takes ext2 and ext3 too, but as ext2 it refuses noload.
 */
export const fileSystems: readonly FileSystemCommands[] = [
  {
    names: ["EXTFS", "EXT2", "EXT3", "EXT4"],
    check: "e2fsck -fn",
    mounts: [kernel("mount -t ext4 -o ro,noload")],
    alone: (file) => `fuse2fs -o ro,fakeroot ${file} DIR`,
  },
  {
    names: ["NTFS"],
    check: "ntfsfix --no-action",
    remark: "partclone keeps no alternate boot sector: that it is BAD says nothing",
    mounts: [
      { by: "fuse", command: "ntfs-3g -o ro" },
      { by: "kernel", command: "mount -t ntfs3 -o ro", driver: "ntfs3" },
    ],
    alone: (file) => `ntfsls -l ${file}; ntfscat ${file} PATH`,
  },
  {
    names: ["FAT12", "FAT16", "FAT32", "VFAT"],
    check: "fsck.fat -n",
    mounts: [kernel("mount -t vfat -o ro")],
    alone: (file) => `mcopy -s -n -i ${file} :: DIR`,
  },
  {
    names: ["EXFAT"],
    check: "fsck.exfat -n",
    mounts: [kernel("mount -t exfat -o ro")],
    alone: null,
  },
  {
    names: ["XFS"],
    check: "xfs_repair -n -f",
    mounts: [kernel("mount -o ro,norecovery,nouuid")],
    alone: null,
  },
  {
    names: ["BTRFS"],
    check: "btrfs check --readonly",
    mounts: [kernel("mount -o ro,rescue=nologreplay")],
    alone: (file) => `btrfs restore ${file} DIR`,
  },
  {
    names: ["F2FS"],
    check: "fsck.f2fs --dry-run",
    mounts: [kernel("mount -t f2fs -o ro,norecovery")],
    alone: null,
  },
  {
    names: ["HFS Plus", "HFSPLUS"],
    check: "fsck.hfsplus -n",
    mounts: [kernel("mount -t hfsplus -o ro,force")],
    alone: null,
  },
];

const unknown: FileSystemCommands = {
  names: [],
  check: null,
  mounts: [kernel("mount -o ro")],
  alone: null,
};

/** What fits the file system as the image names it. */
export function commandsFor(fsType: string): FileSystemCommands {
  const wanted = fsType.trim().toUpperCase();
  return (
    fileSystems.find(({ names }) => names.some((name) => name.toUpperCase() === wanted)) ?? unknown
  );
}

/** Does this kernel have the driver, loaded or as a module? */
export function hasDriver(driver: string): boolean {
  const loaded = readFileSync("/proc/filesystems", "utf8").split("\n");
  if (loaded.some((line) => line.endsWith(`\t${driver}`))) return true;
  return existsSync(`/lib/modules/${release()}/kernel/fs/${driver}`);
}
