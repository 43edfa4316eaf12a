/** A driver of the kernel, and what it is told so that it neither writes nor replays a journal. */
export interface KernelDriver {
  readonly driver: string;
  /** Mount options besides `ro`. */
  readonly options: readonly string[];
}

/** A driver that is a program of its own, and mounts through FUSE. */
export interface FuseDriver {
  readonly program: string;
  /** The Debian package that has it. */
  readonly package: string;
  /** Mount options besides `ro`. */
  readonly options: readonly string[];
  /** And those that an ordinary user needs. */
  readonly userOptions?: readonly string[];
  /** It takes a device, not a file. */
  readonly needsDevice?: true;
  /** Whether an ordinary user can use it: only where /etc/fuse.conf says `user_allow_other`? */
  readonly forUsers: "yes" | "allow_other" | "no";
}

/** How to check and to reach one file system read-only, though it may be unclean. */
export interface FileSystem {
  /** The names that images give it, and blkid. */
  readonly names: readonly string[];
  /** Checks without writing; `null` where there is no such tool. */
  readonly check: string | null;
  /** What the check finds that is no fault. */
  readonly remark?: string;
  /** The best first. */
  readonly kernel: readonly [KernelDriver, ...KernelDriver[]];
  readonly fuse: FuseDriver | null;
  /** Options and type for the kernel that guestmount brings; `null`: it has no driver for it. */
  readonly guest: string | null;
  /** It knows no owners and permissions: drivers are told which all its files have. */
  readonly ownerless?: true;
  /**
   * How a user reaches the files in a mount that lets nobody else in, with DIR for a directory of
   * the user's own; `null` where only root can.
   */
  readonly alone: ((file: string) => string) | null;
}

/**
 * No driver may write or replay a journal, as the partition is read-only: ext4 noload, XFS and F2FS
 * norecovery (and nouuid, as the original may be mounted), Btrfs rescue=nologreplay. ext4's driver
 * takes ext2 and ext3 too, but as ext2 it refuses noload. fuse2fs minds the files' owners unless it
 * is told not to (fakeroot). ntfs-3g is setuid, so that it is kept out of a user's mount unless that
 * lets others in. exfat-fuse 1.3 wants a device of root, and options that fusermount3 gives to root
 * only.
 *
 * guestmount of libguestfs asks nothing of the machine's kernel, nor of root: it starts another kernel
 * in QEMU. That takes 13 to 25 s without KVM, so it is for where nothing else can be had. Debian's
 * lacks ntfs3, F2FS and HFS+.
 *
 * FAT has no FUSE driver of its own here: fusefat 0.1a gives zeros for data, without an error, once several
 * files are read at the same time (measured: 2 to 37 of 331 files).
 */
export const fileSystems: readonly FileSystem[] = [
  {
    names: ["EXTFS", "EXT2", "EXT3", "EXT4"],
    check: "e2fsck -fn",
    kernel: [{ driver: "ext4", options: ["noload"] }],
    fuse: {
      program: "fuse2fs",
      package: "fuse2fs",
      options: [],
      userOptions: ["fakeroot"],
      forUsers: "yes",
    },
    guest: "ro,noload:ext4",
    alone: (file) => `fuse2fs -o ro,fakeroot ${file} DIR`,
  },
  {
    names: ["NTFS"],
    check: "ntfsfix --no-action",
    remark: "partclone keeps no alternate boot sector: --ntfs-backup-boot shows one",
    kernel: [
      { driver: "ntfs3", options: ["iocharset=utf8"] },
      { driver: "ntfs", options: ["nls=utf8"] },
    ],
    fuse: { program: "ntfs-3g", package: "ntfs-3g", options: [], forUsers: "allow_other" },
    guest: "ro",
    ownerless: true,
    alone: (file) => `ntfsls -l ${file}; ntfscat ${file} PATH`,
  },
  {
    names: ["FAT12", "FAT16", "FAT32", "VFAT"],
    check: "fsck.fat -n",
    kernel: [{ driver: "vfat", options: ["utf8"] }],
    fuse: null,
    guest: "ro,utf8:vfat",
    ownerless: true,
    alone: (file) => `mcopy -s -n -i ${file} :: DIR`,
  },
  {
    names: ["EXFAT"],
    check: "fsck.exfat -n",
    kernel: [{ driver: "exfat", options: ["iocharset=utf8"] }],
    fuse: {
      program: "mount.exfat-fuse",
      package: "exfat-fuse",
      options: [],
      needsDevice: true,
      forUsers: "no",
    },
    guest: "ro,iocharset=utf8:exfat",
    ownerless: true,
    alone: null,
  },
  {
    names: ["XFS"],
    check: "xfs_repair -n -f",
    kernel: [{ driver: "xfs", options: ["norecovery", "nouuid"] }],
    fuse: null,
    guest: "ro,norecovery,nouuid:xfs",
    alone: null,
  },
  {
    names: ["BTRFS"],
    check: "btrfs check --readonly",
    kernel: [{ driver: "btrfs", options: ["rescue=nologreplay"] }],
    fuse: null,
    guest: "ro,rescue=nologreplay:btrfs",
    alone: (file) => `btrfs restore ${file} DIR`,
  },
  {
    names: ["F2FS"],
    check: "fsck.f2fs --dry-run",
    kernel: [{ driver: "f2fs", options: ["norecovery"] }],
    fuse: null,
    guest: null,
    alone: null,
  },
  {
    names: ["HFS Plus", "HFSPLUS"],
    check: "fsck.hfsplus -n",
    kernel: [{ driver: "hfsplus", options: ["force"] }],
    fuse: null,
    guest: null,
    alone: null,
  },
];

/** What fits the file system as an image, or blkid, names it. */
export function knownFileSystem(name: string): FileSystem | null {
  const wanted = name.trim().toUpperCase();
  return (
    fileSystems.find(({ names }) => names.some((each) => each.toUpperCase() === wanted)) ?? null
  );
}
