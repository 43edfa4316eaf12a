import { afterAll, describe, expect } from "bun:test";
import { createHash } from "node:crypto";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasDriver, programPath } from "../../src/files/drivers.ts";
import { type FileSystem as Known, knownFileSystem } from "../../src/files/file-systems.ts";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { leftOf, mountFiles, type Process, processesOf } from "../cli/files-mounted.ts";
import { runCommand, runProgram, scriptOf } from "../cli/program.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  programCommand,
  ROOT,
  run as runAs,
  USER,
  until,
} from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { filesInside } from "./compare.ts";
import { FILE_SYSTEMS, type FileSystem } from "./file-systems.ts";
import { must } from "./stage.ts";
import { deleteSome, manifest, writeTree } from "./tree.ts";
import { makeVolume } from "./volume.ts";

/** `--files` shows what is in the partition, by the kernel's driver or by a program. */

const TIMEOUT = 120_000;
const NEEDS = [...mountNeeds(ROOT), "/dev/loop-control"];

const scratch = mkdtempSync(join(tmpdir(), "vpartclone-files-"));
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true }));

const TYPES: Readonly<Record<string, string>> = {
  ...{ ext4: "EXTFS", NTFS: "NTFS", FAT32: "FAT32", exFAT: "EXFAT", XFS: "XFS", Btrfs: "BTRFS" },
  ...{ F2FS: "F2FS" },
};

const known = (fs: FileSystem): Known => {
  const found = knownFileSystem(TYPES[fs.name] ?? "");
  if (found === null) throw new Error(fs.name);
  return found;
};

interface Saved {
  readonly volume: string;
  readonly image: string;
}

/** A volume with the tree, and its image. */
function saved(fs: FileSystem, name = fs.name): Saved {
  using stack = new DisposableStack();
  const volume = join(scratch, `${name}.volume`);
  const image = join(scratch, `files-${name}-${process.pid}.img`);
  makeVolume(stack, fs, volume);
  const [saver] = fs.savers;
  if (!saver) throw new Error(`${fs.name} has no saver`);
  must(saver.save(volume, image));
  chmodSync(image, 0o644);
  return { volume, image };
}

const hasGuest = programPath("guestmount") !== null;
// QEMU of Debian 12 fails in some nested virtual machines, where root has KVM.
process.env.LIBGUESTFS_BACKEND_SETTINGS = "force_tcg";
const WITHOUT_GUEST = ", and guestmount is not installed; install the package guestmount";
const WITHOUT_KERNEL = "; those of the package linux-image-[a-z0-9]+ have it";

const WITHOUT_MODE = /^\d+ ?/;

for (const fs of FILE_SYSTEMS.filter(({ name }) => name in TYPES)) {
  const needs = [...NEEDS, ...fs.needs, ...(fs.savers[0]?.needs ?? [])];
  testWith(
    needs,
    `FUS-FILES-WAY: ${fs.name} as root: all files, and nothing is left after umount`,
    async () => {
      const { volume, image } = saved(fs);
      const { kernel, fuse, guest, ownerless } = known(fs);
      const isShown =
        kernel.some(({ driver }) => hasDriver(driver)) ||
        (fuse && programPath(fuse.program)) ||
        (guest && hasGuest);
      if (!isShown) return refused(fs, image);
      await using mounted = mountFiles(ROOT, image);
      expect(mountOptions(mounted.directory)).toStartWith("ro,nosuid,nodev,");
      const modes = (lines: string[]) =>
        ownerless ? lines.map((line) => line.replace(WITHOUT_MODE, "")) : lines;
      const files = manifest(mounted.directory);
      expect(files.length).toBeGreaterThan(60);
      if (fs.show) expect(modes(files)).toEqual(modes(filesInside(fs.show, volume)));
      expect(() => writeFileSync(join(mounted.directory, "new"), "")).toThrow("EROFS");
      must(["umount", mounted.directory]);
      await until(() => leftOf(mounted).length === 0);
    },
    TIMEOUT,
  );
}

const exfat = FILE_SYSTEMS.filter(({ name }) => name === "exFAT");

for (const fs of exfat.filter(() => !hasDriver("exfat"))) {
  testWith(
    [...NEEDS, ...fs.needs, "partclone.exfat"],
    "FUS-FILES-KILLED: exFAT's driver, whose mount holds the loop device: all goes",
    async () => {
      const { image } = saved(fs, "exFAT-killed");
      const log = join(scratch, "exFAT-killed.log");
      await using mounted = mountFiles(ROOT, image, "--log", log);
      const isDriver = ({ args }: Process) => args[0]?.endsWith("mount.exfat-fuse");
      const [driver] = processesOf(mounted.directory).filter(isDriver);
      if (!driver) throw new Error("no driver");
      process.kill(driver.pid, "SIGKILL");
      await until(() => leftOf(mounted).length === 0);
      expect(readFileSync(log, "utf8")).toContain(`in ${mounted.directory} has died`);
    },
    TIMEOUT,
  );
}

/** As mountinfo has them. */
const mountOptions = (directory: string) =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" "))
    .find((fields) => fields[4] === directory)?.[5];

function refused(fs: FileSystem, image: string): void {
  using point = mountDirectory(ROOT);
  const { status, out, err } = runProgram("vpartclone", [image, "-m", point.path, "--files"]);
  expect({ status, out }).toEqual({ status: 1, out: "" });
  const { guest, kernel } = known(fs);
  const [{ driver }] = kernel;
  expect(err).toMatch(
    new RegExp(
      `^vpartclone: the files of ${TYPES[fs.name]} cannot be shown: this kernel has no ${driver} driver${guest ? WITHOUT_GUEST : WITHOUT_KERNEL}\n$`,
    ),
  );
  expect(mountAt(point.path)).toBeNull();
  expect(leftOf({ image, directory: point.path })).toEqual([]);
}

const byName = (name: string): FileSystem => {
  const found = FILE_SYSTEMS.find((each) => each.name === name);
  if (!found) throw new Error(name);
  return found;
};

/** What LIST prints: `sha256sum` of each file below a directory. */
function sums(root: string): string[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(root, name)).isFile())
    .map((name) => {
      const hash = createHash("sha256").update(readFileSync(join(root, name)));
      return `${hash.digest("hex")}  ${name}`;
    })
    .sort();
}
const LIST = `cd "$1" && find . -type f -printf '%P\\0' | xargs -0 sha256sum`;

function treeSums(): string[] {
  const tree = mkdtempSync(join(scratch, "tree-"));
  writeTree(tree, false);
  deleteSome(tree);
  return sums(tree);
}

const sorted = (text: string): string[] => text.trim().split("\n").sort();

describe("FUS-FILES-WAY: an ordinary user", () => {
  testWith(
    [...mountNeeds(USER), "fuse2fs", ...byName("ext4").needs, "partclone.extfs", "/etc/mtab"],
    "ext4: all files, also those that are another's, and nothing is left after fusermount3 -u",
    async () => {
      openDeviceToAll();
      const { image } = saved(byName("ext4"), "ext4-user");
      await using mounted = mountFiles(USER, image);
      const { code, out } = runAs(USER, "sh", "-c", LIST, "sh", mounted.directory);
      expect(code).toBe(0);
      expect(sorted(out.toString())).toEqual(treeSums());
      expect(runAs(USER, "touch", join(mounted.directory, "new")).code).toBe(1);
      expect(runAs(USER, "fusermount3", "-u", mounted.directory).code).toBe(0);
      await until(() => leftOf(mounted).length === 0);
    },
    TIMEOUT,
  );

  const fat = byName("FAT32");

  // No test that CI must run: guestmount comes with a hundred packages and a kernel.
  if (hasGuest)
    testWith(
      [...mountNeeds(USER), ...fat.needs, "partclone.fat32"],
      "FAT32: all files, by guestmount, and nothing is left",
      async () => {
        openDeviceToAll();
        const { image } = saved(fat, "FAT32-user");
        await using mounted = mountFiles(USER, image);
        const { code, out } = runAs(USER, "sh", "-c", LIST, "sh", mounted.directory);
        expect(code).toBe(0);
        expect(sorted(out.toString())).toEqual(treeSums());
        expect(runAs(USER, "fusermount3", "-u", mounted.directory).code).toBe(0);
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

  const fs = byName("NTFS");
  const needs = [...NEEDS, ...mountNeeds(USER), "unshare", "/etc/fuse.conf", ...fs.needs];

  testWith(
    [...needs, "partclone.ntfs"],
    "NTFS: all files where user_allow_other lets ntfs-3g in, nobody else, and nothing is left",
    () => {
      openDeviceToAll();
      const { image } = saved(fs, "NTFS-user");
      const { status, out } = inNamespace("user_allow_other\n", image, SHOW_AND_END);
      const [sums = "", rest = ""] = out.split("---\n");
      expect(sorted(sums)).toEqual(treeSums());
      expect({ status, rest }).toEqual({ status: 0, rest: "other: 1\nleft: 0\n" });
    },
    TIMEOUT,
  );

  testWith(
    [...needs, "partclone.ntfs"],
    "NTFS: without user_allow_other the error says to add it",
    () => {
      openDeviceToAll();
      const { image } = saved(fs, "NTFS-private");
      const { status, err } = inNamespace("# nothing\n", image, "");
      expect(status).toBe(1);
      expect(err).toBe(
        "vpartclone: the files of NTFS cannot be shown: ntfs-3g serves an ordinary user only where /etc/fuse.conf has the line user_allow_other; add it, run this with sudo, or install the package guestmount\n",
      );
    },
    TIMEOUT,
  );
});

/** Prints the files' sums, whether another user can list them, and what is left in the end. */
const SHOW_AND_END = `
  setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '${LIST.replaceAll("'", "'\\''")}' sh "$directory"
  echo ---
  setpriv --reuid=65533 --regid=65533 --clear-groups ls "$directory" >/dev/null 2>&1 || echo "other: 1"
  umount "$directory"
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    left=$(ps ax -o args | grep -F -- "$directory" | grep -v -e grep -e sh | wc -l)
    [ "$left" -eq 0 ] && break
    sleep 0.2
  done
  echo "left: $((left + $(grep -c -e " $directory " -e "partition-" /proc/self/mountinfo)))"
`;

/** Runs our command as an ordinary user where /etc/fuse.conf is this text, and then a script. */
function inNamespace(conf: string, image: string, script: string) {
  using point = mountDirectory(USER);
  const confFile = join(scratch, "fuse.conf");
  writeFileSync(confFile, conf);
  const command = programCommand(USER, scriptOf("vpartclone"), scriptOf("worker"));
  const whole = `
    mount --bind "$1" /etc/fuse.conf; directory=$2; image=$3; shift 3
    trap 'umount "$directory" 2>/dev/null' EXIT
    [ ! -e /usr/bin/guestmount ] || mount --bind /dev/null /usr/bin/guestmount
    "$@" "$image" -m "$directory" --files >/dev/null || exit
    ${script}`;
  const args = ["sh", confFile, point.path, image, ...USER.prefix, ...command];
  return runCommand(["unshare", "--mount", "sh", "-c", whole, ...args]);
}
