import { describe, expect, test } from "bun:test";
import { isModule, isRegistered } from "../../src/files/drivers.ts";
import { fileSystems, knownFileSystem } from "../../src/files/file-systems.ts";
import { recognizedIn } from "../../src/files/recognize.ts";
import { type Host, noWay, type Owner, waysToFiles } from "../../src/files/ways.ts";

/** A host with these drivers and programs. */
const host = (isRoot: boolean, has: readonly string[], mayAllowOthers = false): Host => ({
  isRoot,
  mayAllowOthers,
  hasDriver: (driver) => has.includes(driver),
  program: (name) => (has.includes(name) ? `/bin/${name}` : null),
});

const OWNER: Owner = { uid: 7, gid: 8, mode: 0o100640 };
const OWNED = "uid=7,gid=8,umask=0227";

const known = (name: string) => {
  const fileSystem = knownFileSystem(name);
  if (fileSystem === null) throw new Error(name);
  return fileSystem;
};
const ways = (name: string, on: Host) => waysToFiles(known(name), on, OWNER);
const kernel = (driver: string, options: string) => ({ by: "kernel" as const, driver, options });
const program = (name: string, options: string, takes: "file" | "device" = "file") => ({
  by: "fuse" as const,
  ...{ name, program: `/bin/${name}`, args: ["-o", options], takes },
});

describe("FUS-FILES-WAY: the mount call of the kernel's driver", () => {
  const calls = [
    ["EXTFS", "ext4", "noload"],
    ["NTFS", "ntfs3", `iocharset=utf8,${OWNED}`],
    ["NTFS", "ntfs", `nls=utf8,${OWNED}`],
    ["FAT16", "vfat", `utf8,${OWNED}`],
    ["EXFAT", "exfat", `iocharset=utf8,${OWNED}`],
    ["XFS", "xfs", "norecovery,nouuid"],
    ["BTRFS", "btrfs", "rescue=nologreplay"],
    ["F2FS", "f2fs", "norecovery"],
    ["HFS Plus", "hfsplus", "force"],
  ] as const;
  test.each(calls)("%s by %s: %s", (name, driver, options) => {
    expect(ways(name, host(true, [driver]))).toEqual([kernel(driver, options)]);
  });

  test("every driver of the table is among them", () => {
    const drivers = fileSystems.flatMap((each) => each.kernel.map(({ driver }) => driver));
    expect(drivers).toEqual(calls.map(([, driver]) => driver));
  });
});

describe("FUS-FILES-WAY: the FUSE driver", () => {
  const READ_ONLY = "ro";

  test("of root: after the kernel's, or alone", () => {
    expect(ways("NTFS", host(true, ["ntfs3", "ntfs-3g"]))).toEqual([
      kernel("ntfs3", `iocharset=utf8,${OWNED}`),
      program("ntfs-3g", `${READ_ONLY},${OWNED}`),
    ]);
    expect(ways("EXFAT", host(true, ["mount.exfat-fuse"]))).toEqual([
      program("mount.exfat-fuse", `${READ_ONLY},${OWNED}`, "device"),
    ]);
  });

  test("of an ordinary user: never the kernel's, and with user_allow_other more", () => {
    const all = ["ext4", "fuse2fs", "ntfs3", "ntfs-3g", "exfat", "mount.exfat-fuse", "xfs", "vfat"];
    const [alone, others] = [host(false, all), host(false, all, true)];
    expect(ways("EXTFS", alone)).toEqual([program("fuse2fs", `${READ_ONLY},fakeroot`)]);
    expect(ways("NTFS", alone)).toEqual([]);
    expect(ways("NTFS", others)).toEqual([program("ntfs-3g", `${READ_ONLY},${OWNED}`)]);
    for (const name of ["EXFAT", "XFS", "FAT32"]) expect(ways(name, others)).toEqual([]);
  });
});

describe("FUS-FILES-WAY: guestmount", () => {
  const guest = (spec: string) => ({
    by: "fuse" as const,
    ...{ name: "guestmount", program: "/bin/guestmount", takes: "file" as const },
    args: ["--ro", "--format=raw", "-m", `/dev/sda:/:${spec}`, "-a"],
  });

  test("is for where nothing else can be had", () => {
    const all = host(true, ["guestmount", "vfat"]);
    expect(ways("FAT32", all)).toEqual([kernel("vfat", `utf8,${OWNED}`)]);
    expect(ways("FAT32", host(true, ["guestmount"]))).toEqual([guest("ro,utf8:vfat")]);
  });

  test.each([
    ["EXTFS", "ro,noload:ext4"],
    ["NTFS", "ro"],
    ["FAT32", "ro,utf8:vfat"],
    ["EXFAT", "ro,iocharset=utf8:exfat"],
    ["XFS", "ro,norecovery,nouuid:xfs"],
    ["BTRFS", "ro,rescue=nologreplay:btrfs"],
  ])("%s for an ordinary user: %s", (name, spec) => {
    expect(ways(name, host(false, ["guestmount"]))).toEqual([guest(spec)]);
  });

  test("has no driver for some", () => {
    for (const name of ["F2FS", "HFS Plus"]) {
      expect(ways(name, host(true, ["guestmount"]))).toEqual([]);
    }
  });
});

describe("FUS-FILES-WAY: where there is none, the error says what to do", () => {
  const allowOther =
    "ntfs-3g serves an ordinary user only where /etc/fuse.conf has the line user_allow_other; add it, run this with sudo, or install the package guestmount";
  const cases: readonly (readonly [string, Host, string])[] = [
    [
      "EXFAT",
      host(true, []),
      "this kernel has no exfat driver, and mount.exfat-fuse is not installed; install the package exfat-fuse",
    ],
    [
      "FAT32",
      host(true, []),
      "this kernel has no vfat driver, and guestmount is not installed; install the package guestmount",
    ],
    ["F2FS", host(true, []), "this kernel has no f2fs driver; those of the package linux-image-"],
    ["EXTFS", host(false, []), "fuse2fs is not installed; install the package fuse2fs"],
    ["NTFS", host(false, ["ntfs-3g"]), allowOther],
    [
      "XFS",
      host(false, ["xfs"]),
      "only root can mount them; run this with sudo, or install the package guestmount",
    ],
    ["F2FS", host(false, []), "only root can mount them; run this with sudo"],
  ];
  test.each(cases)("%s", (name, on, text) => {
    expect(ways(name, on)).toEqual([]);
    expect(noWay(name, known(name), on).message).toStartWith(
      `the files of ${name} cannot be shown: ${text}`,
    );
  });
});

test.each([
  [0o100600, "0277"],
  [0o100640, "0227"],
  [0o100644, "0222"],
  [0o100777, "0222"],
  [0o100000, "0777"],
])("FUS-FILES-OWNER: an image of mode %o gives umask %s", (mode, umask) => {
  const [way] = waysToFiles(known("FAT32"), host(true, ["vfat"]), { ...OWNER, mode });
  expect(way).toEqual(kernel("vfat", `utf8,uid=7,gid=8,umask=${umask}`));
});

test("what the kernel has", () => {
  const filesystems = "nodev\tsysfs\nnodev\tfuse\n\text4\n\tfuseblk\n";
  expect(["ext4", "ext", "fuse", "sysfs"].map((name) => isRegistered(filesystems, name))).toEqual([
    true,
    false,
    false,
    false,
  ]);
  const modules =
    "kernel/fs/fat/fat.ko.xz:\nkernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz\nkernel/fs/ntfs3/ntfs3.ko:\n";
  expect(["vfat", "ntfs3", "ntfs", "msdos"].map((name) => isModule(modules, name))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

describe("what blkid finds", () => {
  test("a known file system, one known by its driver, and none", () => {
    const found = (type: string) =>
      recognizedIn(`DEVNAME=x\nTYPE=${type}\nUSAGE=filesystem\n`, "raw");
    expect(found("xfs").fileSystem).toBe(known("XFS"));
    expect(found("jfs").fileSystem.kernel).toEqual([{ driver: "jfs", options: [] }]);
    expect(() => recognizedIn("", "raw")).toThrow("no file system is found in the partition (raw)");
    expect(() => recognizedIn("TYPE=crypto_LUKS\nUSAGE=crypto\n", "raw")).toThrow(
      "the partition holds crypto_LUKS, which has no files to show",
    );
  });
});
