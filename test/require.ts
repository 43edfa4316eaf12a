import { test } from "bun:test";
import { accessSync, constants, readFileSync } from "node:fs";

/** To act as an ordinary user takes root, and a project that all can enter: in /root none can. */
export const ORDINARY_USER = "an ordinary user who can read this project";

/**
 * What a test needs of the machine: `root`; ORDINARY_USER; a path that must be readable and
 * writable (`/dev/fuse`); a file system the kernel can mount (`kernel:xfs`); otherwise a command
 * on PATH.
 */
export type Requirement = string;

/** Skips the test where something is missing, with the reason in its title; under CI it fails. */
export function testWith(
  requirements: readonly Requirement[],
  title: string,
  fn: () => unknown,
  timeout?: number,
): void {
  const body = async () => {
    await fn();
  };
  const missing = requirements.filter((requirement) => !isMet(requirement));
  if (missing.length === 0) {
    test(title, body, timeout);
  } else if (process.env.CI === "true") {
    test(title, () => {
      throw new Error(`this machine lacks: ${missing.join(", ")}`);
    });
  } else {
    test.skip(`${title} [skipped: this machine lacks ${missing.join(", ")}]`, body);
  }
}

function isMet(requirement: Requirement): boolean {
  if (requirement === "root") return isRoot();
  if (requirement === ORDINARY_USER) return isRoot() && isOpenToNobody();
  if (requirement.startsWith("kernel:")) return kernelMounts(requirement.slice("kernel:".length));
  if (requirement.startsWith("/")) return isOpen(requirement);
  return Bun.which(requirement) !== null;
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

function isOpenToNobody(): boolean {
  const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const look = ["sh", "-c", 'test -r "$1" && test -x "$2"', "sh"];
  const { success } = Bun.spawnSync([...drop, ...look, import.meta.path, process.execPath], {
    cwd: "/",
  });
  return success;
}

function isOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A driver that is a module shows in /proc/filesystems only once loaded, so that is tried first. */
function kernelMounts(driver: string): boolean {
  const isRegistered = () =>
    readFileSync("/proc/filesystems", "utf8")
      .split("\n")
      .some((line) => line.endsWith(`\t${driver}`));
  if (isRegistered()) return true;
  if (Bun.which("modprobe") === null) return false;
  Bun.spawnSync(["modprobe", "--quiet", driver]);
  return isRegistered();
}
