import { ImageBackupError } from "../bytes/errors.ts";
import type { FileSystem, FuseDriver } from "./file-systems.ts";

/** What the choice of a driver depends on. */
export interface Host {
  readonly isRoot: boolean;
  readonly mayAllowOthers: boolean;
  hasDriver(driver: string): boolean;
  /** The program's path, `null` where it is not installed. */
  program(name: string): string | null;
}

/** Whom the files of a file system without owners belong to, and who may read them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
  /** The image's permissions. */
  readonly mode: number;
}

/** One way to show the files. */
export type Way =
  /** mount(2) of a loop device. */
  | { readonly by: "kernel"; readonly driver: string; readonly options: string }
  /** A program that is given the partition, as a file or a loop device, and the directory. */
  | {
      readonly by: "fuse";
      readonly name: string;
      readonly program: string;
      readonly args: readonly string[];
      readonly takes: "file" | "device";
    };

const READ_BITS = 0o444;
const ALL = 0o777;

/** Whoever may read the image may read its files and enter its directories. */
const umaskOf = (mode: number): string => {
  const read = mode & READ_BITS;
  return (ALL & ~(read | (read >> 2))).toString(8).padStart(4, "0");
};

const ownerOptions = ({ uid, gid, mode }: Owner): string[] => [
  `uid=${uid}`,
  `gid=${gid}`,
  `umask=${umaskOf(mode)}`,
];

/** FUS-FILES-WAY: how this host can show the files, the best way first. */
export function waysToFiles(fileSystem: FileSystem, host: Host, owner: Owner): Way[] {
  const { kernel, fuse, guest, ownerless } = fileSystem;
  const owned = ownerless ? ownerOptions(owner) : [];
  const drivers = host.isRoot ? kernel.filter(({ driver }) => host.hasDriver(driver)) : [];
  const ways: Way[] = drivers.map(({ driver, options }) => ({
    by: "kernel",
    driver,
    options: [...options, ...owned].join(","),
  }));
  const own = fuse && isAllowed(fuse, host) ? host.program(fuse.program) : null;
  if (fuse !== null && own !== null) {
    const extra = host.isRoot ? [] : (fuse.userOptions ?? []);
    const options = ["ro", ...fuse.options, ...extra, ...owned];
    const takes = fuse.needsDevice ? "device" : "file";
    ways.push({
      by: "fuse",
      name: fuse.program,
      program: own,
      args: ["-o", options.join(",")],
      takes,
    });
  }
  return ways.length > 0 ? ways : guestWay(guest, host);
}

const GUEST = "guestmount";

function guestWay(guest: string | null, host: Host): Way[] {
  const program = host.program(GUEST);
  if (guest === null || program === null) return [];
  const args = ["--ro", "--format=raw", "-m", `/dev/sda:/:${guest}`, "-a"];
  return [{ by: "fuse", name: GUEST, program, args, takes: "file" }];
}

const isAllowed = ({ forUsers }: FuseDriver, { isRoot, mayAllowOthers }: Host): boolean =>
  isRoot || forUsers === "yes" || (forUsers === "allow_other" && mayAllowOthers);

/** FUS-FILES-WAY: why there is none, and what to do about it. */
export function noWay(name: string, fileSystem: FileSystem, host: Host): ImageBackupError {
  return new ImageBackupError(
    "SYSTEM",
    `the files of ${name} cannot be shown: ${reason(fileSystem, host)}`,
  );
}

/** As Debian's kernels, and packages in general, name the architecture. */
const DEBIAN_ARCHITECTURE = process.arch === "x64" ? "amd64" : process.arch;

function reason({ kernel, fuse, guest }: FileSystem, host: Host): string {
  const [{ driver }] = kernel;
  const lacking = `this kernel has no ${driver} driver`;
  const orGuest = guest === null ? "" : `, or install the package ${GUEST}`;
  if (host.isRoot) {
    const program = fuse ?? (guest === null ? null : { program: GUEST, package: GUEST });
    return program === null
      ? `${lacking}; those of the package linux-image-${DEBIAN_ARCHITECTURE} have it`
      : `${lacking}, and ${program.program} is not installed; install the package ${program.package}`;
  }
  if (fuse === null || fuse.forUsers === "no")
    return `only root can mount them; run this with sudo${orGuest}`;
  if (host.program(fuse.program) === null)
    return `${fuse.program} is not installed; install the package ${fuse.package}`;
  return `${fuse.program} serves an ordinary user only where /etc/fuse.conf has the line user_allow_other; add it, run this with sudo${orGuest}`;
}
