import { readFileSync } from "node:fs";
import { release } from "node:os";

/** Does this kernel have the driver: registered, or as a module that it loads when asked to mount? */
export function hasDriver(driver: string): boolean {
  if (isRegistered(text("/proc/filesystems"), driver)) return true;
  return isModule(text(`/lib/modules/${release()}/modules.dep`), driver);
}

/** `/proc/filesystems`: a line for each, `nodev` first for those that take no device. */
export const isRegistered = (filesystems: string, driver: string): boolean =>
  filesystems.split("\n").includes(`\t${driver}`);

/** `modules.dep`: `kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz`. */
export const isModule = (dependencies: string, driver: string): boolean =>
  dependencies
    .split("\n")
    .some((line) => line.split(":")[0]?.split("/").at(-1)?.split(".")[0] === driver);

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // A container has no modules of its own.
  }
}

const SYSTEM_DIRECTORIES = ["/usr/sbin", "/sbin"];

/** A program's path, also where Debian keeps what is root's: an ordinary user's PATH lacks that. */
export function programPath(name: string): string | null {
  const PATH = [process.env.PATH ?? "", ...SYSTEM_DIRECTORIES].join(":");
  return Bun.which(name, { PATH });
}
