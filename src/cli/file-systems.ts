/** How to check and to mount one file system read-only, though it may be unclean. */
export interface FileSystemCommands {
  /** The names that images give it. */
  readonly names: readonly string[];
  /** Checks without writing; `null` where there is no such tool. */
  readonly check: string | null;
  /** How the files are reached: the kernel's driver on a loop device, or a FUSE driver on the file. */
  readonly mount: { readonly by: "kernel" | "fuse"; readonly command: string };
}

/**
 * No driver may write or replay a journal, as the partition is read-only: ext4 noload, XFS
 * norecovery (and nouuid, as the original may be mounted), Btrfs rescue=nologreplay.
 */
export const fileSystems: readonly FileSystemCommands[] = [
  {
    names: ["EXTFS", "EXT2", "EXT3", "EXT4"],
    check: "e2fsck -fn",
    mount: { by: "kernel", command: "mount -o ro,noload" },
  },
  {
    names: ["NTFS"],
    check: "ntfsfix --no-action",
    mount: { by: "fuse", command: "ntfs-3g -o ro" },
  },
  {
    names: ["FAT12", "FAT16", "FAT32", "VFAT"],
    check: "fsck.fat -n",
    mount: { by: "kernel", command: "mount -t vfat -o ro" },
  },
  {
    names: ["EXFAT"],
    check: "fsck.exfat -n",
    mount: { by: "kernel", command: "mount -t exfat -o ro" },
  },
  {
    names: ["XFS"],
    check: "xfs_repair -n -f",
    mount: { by: "kernel", command: "mount -o ro,norecovery,nouuid" },
  },
  {
    names: ["BTRFS"],
    check: "btrfs check --readonly",
    mount: { by: "kernel", command: "mount -o ro,rescue=nologreplay" },
  },
  {
    names: ["F2FS"],
    check: "fsck.f2fs --dry-run",
    mount: { by: "kernel", command: "mount -t f2fs -o ro,norecovery" },
  },
  {
    names: ["HFS Plus", "HFSPLUS"],
    check: "fsck.hfsplus -n",
    mount: { by: "kernel", command: "mount -t hfsplus -o ro,force" },
  },
];

const unknown: FileSystemCommands = {
  names: [],
  check: null,
  mount: { by: "kernel", command: "mount -o ro" },
};

/** What fits the file system as the image names it. */
export function commandsFor(fsType: string): FileSystemCommands {
  const wanted = fsType.trim().toUpperCase();
  return (
    fileSystems.find(({ names }) => names.some((name) => name.toUpperCase() === wanted)) ?? unknown
  );
}
