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

const READ_ONLY = ["ro", "nosuid", "nodev"] as const;
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
  const { kernel, fuse, ownerless } = fileSystem;
  const owned = ownerless ? ownerOptions(owner) : [];
  const drivers = host.isRoot ? kernel.filter(({ driver }) => host.hasDriver(driver)) : [];
  const ways: Way[] = drivers.map(({ driver, options }) => ({
    by: "kernel",
    driver,
    options: [...options, ...owned].join(","),
  }));
  const program = fuse && isAllowed(fuse, host) ? host.program(fuse.program) : null;
  if (fuse === null || program === null) return ways;
  const options = [
    ...READ_ONLY,
    ...fuse.options,
    ...(host.isRoot ? [] : (fuse.userOptions ?? [])),
    ...owned,
  ];
  const takes = fuse.needsDevice ? "device" : "file";
  const args = ["-o", options.join(",")];
  return [...ways, { by: "fuse", name: fuse.program, program, args, takes }];
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

function reason({ kernel, fuse, alone }: FileSystem, host: Host): string {
  const [{ driver }] = kernel;
  const lacking = `this kernel has no ${driver} driver`;
  if (host.isRoot) {
    return fuse === null
      ? `${lacking}; those of the package linux-image-${DEBIAN_ARCHITECTURE} have it`
      : `${lacking}, and ${fuse.program} is not installed; install the package ${fuse.package}`;
  }
  if (fuse === null || fuse.forUsers === "no") {
    const other = alone ? ", or leave out --files to be told another way" : "";
    return `only root can mount them; run this with sudo${other}`;
  }
  if (host.program(fuse.program) === null)
    return `${fuse.program} is not installed; install the package ${fuse.package}`;
  return `${fuse.program} serves an ordinary user only where /etc/fuse.conf has the line user_allow_other; add it, or run this with sudo`;
}
