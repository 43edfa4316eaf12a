import { afterAll, describe, expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeV2 } from "../../fixtures-gen/partclone-v2.ts";
import { hasDriver } from "../../src/files/drivers.ts";
import { mountInBackground } from "../cli/mounted.ts";
import { runCommand, scriptOf } from "../cli/program.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  programCommand,
  ROOT,
  run as runAs,
  USER,
} from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { FILE_SYSTEMS, type FileSystem } from "./file-systems.ts";
import { partclone } from "./savers.ts";
import { loopDevice, mountPoint, must, run, scratchDirectory } from "./stage.ts";

/** What the command prints is typed as it stands, and does what it says. */

const TIMEOUT = 60_000;
const NEEDS = [...mountNeeds(ROOT), "/dev/loop-control", "losetup"];

const scratch = mkdtempSync(join(tmpdir(), "vpartclone-printed-"));
chmodSync(scratch, 0o755);
afterAll(() => rmSync(scratch, { recursive: true }));

interface Printed {
  readonly check: string | null;
  /** The lines that mount, use and unmount, without what names them. */
  readonly files: readonly string[];
}

function printedIn(text: string): Printed {
  const lines = text.split("\n").map((line) => line.slice("  its files:  ".length));
  const names = text.split("\n").map((line) => line.slice(2, 14).trim());
  const from = names.indexOf("its files:");
  if (from < 0) return { check: null, files: [] };
  const to = names.findIndex((name, index) => index > from && name !== "");
  const check = lines[names.indexOf("check it:")] ?? null;
  return { check: names.includes("check it:") ? check : null, files: lines.slice(from, to) };
}

/** Types the lines that mount; returns what is in the file system. */
function typed({ files }: Printed): string[] {
  using stack = new DisposableStack();
  const directory = scratchDirectory(stack);
  let device = "/dev/loopN";
  const type = (line: string) => {
    const [command = ""] = line.split("    (");
    const { status, output } = run([
      "sh",
      "-c",
      command.replaceAll("/dev/loopN", device).replace("/mnt", directory),
    ]);
    if (status !== 0) throw new Error(`${command}: status ${status}\n${output}`);
    return output.trim();
  };
  const [first = "", second, last] = files;
  if (second === undefined || last === undefined) {
    stack.defer(() => must(["umount", directory]));
    type(first);
    return readdirSync(directory);
  }
  device = type(first);
  let isUndone = false;
  stack.defer(
    () => isUndone || run(["sh", "-c", `umount ${directory}; losetup --detach ${device}`]),
  );
  type(second);
  const names = readdirSync(directory);
  type(last);
  isUndone = true;
  return names;
}

/** The kernel's driver; NTFS has one of its own. */
const drivers: Readonly<Record<string, string>> = {
  ...{ ext4: "ext4", "ext4 with blocks of 4 KiB": "ext4", FAT32: "vfat", exFAT: "exfat" },
  ...{ XFS: "xfs", Btrfs: "btrfs", F2FS: "f2fs" },
};

/** Where images of partclone and of a real volume get another verdict: see the remark. */
const BAD_BOOT_SECTOR = "alternate boot sector... BAD";

function emptyImage(fs: FileSystem, name: string): string {
  const volume = join(scratch, `${name}.volume`);
  const image = join(scratch, `${name}.img`);
  writeFileSync(volume, "");
  truncateSync(volume, fs.size);
  must(fs.make(volume));
  rmSync(image, { force: true });
  const [saver] = fs.savers;
  if (saver) must(saver.save(volume, image));
  rmSync(volume);
  return image;
}

describe("the printed commands", () => {
  for (const fs of FILE_SYSTEMS) {
    const name = fs.name.replaceAll(" ", "-");
    const needs = [...NEEDS, ...fs.needs, ...(fs.savers[0]?.needs ?? [])];
    testWith(
      needs,
      `${fs.name}: check it, reach its files`,
      async () => {
        const image = emptyImage(fs, name);
        await using mounted = mountInBackground(ROOT, "vpartclone", image);
        const printed = printedIn(mounted.out);
        const { status, output } = run(["sh", "-c", printed.check ?? "false"]);
        expect(output).not.toMatch(/[Uu]sage:|invalid option|unrecognized option/);
        if (output.includes(BAD_BOOT_SECTOR)) expect(mounted.out).toContain("--ntfs-backup-boot");
        else expect({ status, output }).toEqual({ status: 0, output });
        const driver = drivers[fs.name];
        if (driver === undefined || hasDriver(driver)) typed(printed);
      },
      TIMEOUT,
    );
  }
});

/** Has the user of a private mount a way to the files, the lines that say so do it. */
describe("the printed commands of a mount that only its user can read", () => {
  for (const fs of FILE_SYSTEMS) {
    const name = `${fs.name.replaceAll(" ", "-")}-alone`;
    const needs = [...mountNeeds(USER), ...fs.needs, ...(fs.savers[0]?.needs ?? [])];
    testWith(
      needs,
      fs.name,
      async () => {
        openDeviceToAll();
        const image = emptyImage(fs, name);
        chmodSync(image, 0o644);
        await using mounted = mountInBackground(USER, "vpartclone", image);
        const { files } = printedIn(mounted.out);
        const [command] = files;
        if (command === undefined) return;
        using point = mountDirectory(USER);
        for (const each of command
          .replace("DIR", point.path)
          .replace("PATH", "'$Boot'")
          .split("; ")) {
          const { code, err } = runAs(USER, "sh", "-c", each);
          expect({ each, code, err }).toEqual({ each, code: 0, err: expect.any(String) });
        }
        runAs(ROOT, "umount", point.path);
        rmSync(join(point.path, "lost+found"), { recursive: true, force: true });
      },
      TIMEOUT,
    );
  }
});

/** A volume as a crash leaves it: mounted, its journal not replayed. */
function uncleanVolume(type: string, make: readonly string[], size: number): string {
  using stack = new DisposableStack();
  const volume = join(scratch, `${type}.volume`);
  writeFileSync(volume, "");
  truncateSync(volume, size);
  must([...make, volume]);
  const device = loopDevice(stack, volume, "rw");
  const root = mountPoint(stack, (directory) => ["mount", "-t", type, device, directory]);
  writeFileSync(join(root, "early"), "early\n");
  must(["sync", "--file-system", root]);
  mkdirSync(join(root, "late"));
  must(["sync", "--file-system", root]);
  writeFileSync(join(root, "later"), "later\n");
  must(["sync", join(root, "later")]);
  const unclean = join(scratch, `unclean-${type}.volume`);
  must(["cp", "--sparse=always", volume, unclean]);
  return unclean;
}

/** partclone itself does not save a dirty ext4, so that its whole volume goes into an image. */
function uncleanImage(type: string, volume: string): string {
  const path = volume.replace(".volume", ".img");
  if (!type.startsWith("ext")) {
    must(partclone(type, ["-I"]).save(volume, path));
    return path;
  }
  const partition = readFileSync(volume);
  const blockSize = 4096;
  const present = new Uint8Array(partition.length / blockSize).fill(1);
  const { image } = encodeV2({
    ...{ toolVersion: "0.3.23", fsType: "EXTFS", byteOrder: "little", cpuBits: 64, blockSize },
    ...{ deviceSize: partition.length, usedSuperblock: present.length, usedBitmap: present.length },
    ...{ checksumMode: "none", blocksPerChecksum: 0, reseed: true },
    ...{ bitmapMode: "none", bitmap: new Uint8Array(), present, partition },
  });
  writeFileSync(path, image);
  return path;
}

const savers = (type: string): string[] => (type.startsWith("ext") ? [] : [`partclone.${type}`]);
const MiB = 2 ** 20;
const uncleans = [
  ["ext4", ["mkfs.ext4", "-q", "-F"], 24 * MiB],
  ["ext2", ["mkfs.ext2", "-q", "-F"], 24 * MiB],
  ["xfs", ["mkfs.xfs", "-q"], 300 * MiB],
  ["btrfs", ["mkfs.btrfs", "--quiet"], 120 * MiB],
] as const;

describe("a file system that was not unmounted is reached by the printed commands", () => {
  for (const [type, make, size] of uncleans) {
    testWith(
      [...NEEDS, make[0], ...savers(type), `kernel:${type}`],
      type,
      async () => {
        const image = uncleanImage(type, uncleanVolume(type, make, size));
        await using mounted = mountInBackground(ROOT, "vpartclone", image);
        // XFS keeps new names in its log for long, and the log is not read.
        const names = typed(printedIn(mounted.out));
        if (type !== "xfs") expect(names).toContain("early");
      },
      TIMEOUT,
    );
  }
});

const ALLOWED = "user_allow_other # for tests\n";

/** Runs a script where /etc/fuse.conf is this text, in a mount namespace of its own. */
function withFuseConf(text: string, script: string, ...args: readonly string[]) {
  const conf = join(scratch, "fuse.conf");
  writeFileSync(conf, text);
  const whole = `mount --bind "$1" /etc/fuse.conf && shift && ${script}`;
  return runCommand(["unshare", "--mount", "sh", "-ec", whole, "sh", conf, ...args]);
}

describe("an ordinary user's mount", () => {
  const needs = [...mountNeeds(USER), "unshare", "mkfs.ext4", "partclone.extfs", "/etc/fuse.conf"];
  const script = `
    directory=$1; image=$2; shift 2
    trap 'umount "$directory"' EXIT
    "$@" "$image" -m "$directory"
    echo "root: $(head -c 1000 "$directory"/* | wc -c)"`;

  const mountWith = (conf: string) => {
    openDeviceToAll();
    using stack = new DisposableStack();
    const [fs] = FILE_SYSTEMS;
    if (!fs) throw new Error("no file system");
    const image = emptyImage(fs, "user");
    chmodSync(image, 0o644);
    const directory = scratchDirectory(stack);
    chownSync(directory, USER.id, USER.id);
    const command = programCommand(USER, scriptOf("vpartclone"), scriptOf("worker"));
    const ran = withFuseConf(conf, script, directory, image, ...USER.prefix, ...command);
    return { ...ran, file: join(directory, "user"), directory };
  };

  testWith(
    needs,
    "without user_allow_other: private, and how to change that",
    () => {
      const { out, file, directory } = mountWith("# nothing\n");
      expect(out.split("\n").slice(1)).toEqual([
        `  check it:   e2fsck -fn ${file}`,
        `  its files:  fuse2fs -o ro,fakeroot ${file} DIR`,
        "  only you can read it, so 'sudo losetup' will fail; to let root in, add the line",
        "  user_allow_other to /etc/fuse.conf and mount again",
        `  end it:     fusermount3 -u ${directory}`,
        "root: 0",
        "",
      ]);
    },
    TIMEOUT,
  );

  testWith(
    needs,
    "with user_allow_other: root gets in, so sudo works",
    () => {
      const { status, out, file } = mountWith(ALLOWED);
      expect(status).toBe(0);
      expect(out).toContain(`sudo losetup --find --show --read-only --direct-io=on ${file}\n`);
      expect(out).toContain("root: 1000\n");
      expect(out).not.toContain("only you can read it");
      expect(readFileSync("/etc/fuse.conf", "utf8")).not.toContain(ALLOWED);
    },
    TIMEOUT,
  );
});
