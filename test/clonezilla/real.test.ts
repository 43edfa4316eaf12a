import { afterAll, expect } from "bun:test";
import { readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { readImageFolder } from "../../src/clonezilla/image-folder.ts";
import { runCommand, scriptOf } from "../cli/program.ts";
import { expectSameBytes } from "../real/compare.ts";
import { partcloneRestore } from "../real/savers.ts";
import { loopDevice, must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { lvm } from "./lvm.ts";
import { mountFolder } from "./mounted.ts";
import { type Compressor, ocsSave, PIGZ, saveVolume, ZSTD } from "./ocs.ts";
import { filesOn, GPT_DISK, MBR_DISK, makeRealDisk, type RealDisk } from "./real-disk.ts";
import { expectSameGroup, makeVolume } from "./real-group.ts";
import { expectSameDisk } from "./same-disk.ts";

/** Folders that Clonezilla itself makes of real disks. */

const TIMEOUT = 120_000;
const NEEDS = [
  ...["root", "/dev/fuse", "/dev/loop-control", "kernel:ext4", "ocs-sr", "partx", "sfdisk"],
  ...[
    "mkfs.ext4",
    "mkntfs",
    "ntfs-3g",
    "mkfs.fat",
    "mkswap",
    "partclone.ext4",
    "partclone.restore",
  ],
  ...["pigz", "zstd", "split", "parted", "unshare", "pvcreate", "vgcfgrestore", "blkid"],
];

/** A disk, its folder, and what was on it. */
interface Saved {
  readonly disk: RealDisk;
  readonly compressor: Compressor;
  /** The disk itself. */
  readonly file: string;
  /** As Clonezilla called it: `loop0`. */
  readonly device: string;
  readonly folder: string;
  /** By the partitions' numbers. */
  readonly files: ReadonlyMap<number, string[] | null>;
  /** Of the logical volume, if there is one. */
  readonly volumeFiles: string[] | null;
}

const stack = new DisposableStack();
afterAll(() => stack.dispose());

let made: Promise<readonly Saved[]> | null = null;
/** Both disks, saved at the same time. */
const saved = () => {
  made ??= Promise.all([
    save(GPT_DISK, PIGZ, ["-i", "1", "-gm", "-gs"]),
    save(MBR_DISK, ZSTD, ["-i", "0", "-j2", "-gm"]),
  ]);
  return made;
};

async function save(
  disk: RealDisk,
  compressor: Compressor,
  options: readonly string[],
): Promise<Saved> {
  using attached = new DisposableStack();
  const file = join(scratchDirectory(stack), "disk");
  const path = makeRealDisk(attached, disk, file);
  const device = path.replace("/dev/", "");
  const group = disk.partitions.find(({ holds }) => holds === "volume group");
  const volume = group ? makeVolume(stack, attached, `${path}p${group.number}`) : null;
  const files = new Map(
    disk.partitions.map(({ number, holds }) => [number, filesOn(`${path}p${number}`, holds)]),
  );
  must(["sync"]);
  const folder = await ocsSave(stack, path, compressor, options);
  if (volume !== null) saveVolume(folder, volume, "vgx-root", compressor);
  const volumeFiles = volume === null ? null : filesOn(loopDevice(attached, volume, "ro"), "ext4");
  return { disk, compressor, file, device, folder, files, volumeFiles };
}

const vclonezilla = (...args: string[]) =>
  runCommand([process.execPath, scriptOf("vclonezilla"), ...args]);

testWith(
  NEEDS,
  "every image opens, every checksum is right",
  async () => {
    for (const { folder } of await saved()) {
      expect(vclonezilla(folder)).toMatchObject({ status: 0, err: "" });
      const { status, out } = vclonezilla(folder, "--verify-folder", "-q");
      expect({ status, out }).toMatchObject({ status: 0 });
      expect(out).toMatch(/^parts: as in MD5SUMS/m);
      expect(out).toMatch(/: sound: [34] images, \d+ listed files$/m);
    }
  },
  TIMEOUT,
);

/** What partclone restores of an image. */
function restored(place: DisposableStack, files: readonly string[], command: string): string {
  const directory = scratchDirectory(place);
  const [image, file] = [join(directory, "image"), join(directory, "restored")];
  must(["sh", "-c", `cat "$@" | ${command} -dc > ${image}`, "sh", ...files]);
  must(partcloneRestore(image, file));
  return file;
}

testWith(
  NEEDS,
  "every partition equals its restore",
  async () => {
    for (const { folder, compressor } of await saved()) {
      await using mounted = mountFolder(folder);
      const { partitions } = await readImageFolder(folder);
      const images = partitions.flatMap(({ image }) => image ?? []);
      expect(images.length).toBeGreaterThanOrEqual(3);
      for (const { device, files, deviceSize } of images) {
        using place = new DisposableStack();
        const file = restored(place, files, compressor.command.split(" ")[0] ?? "");
        // partclone makes a file as long as what it restores.
        expect(statSync(file).size).toBeLessThanOrEqual(deviceSize ?? 0);
        truncateSync(file, deviceSize ?? 0);
        expectSameBytes(join(mounted.path, device), file);
      }
    }
  },
  TIMEOUT,
);

testWith(
  NEEDS,
  "the whole disk has the original's partitions, with its files in them",
  async () => {
    for (const { disk, file, device, folder, files, volumeFiles } of await saved()) {
      await using mounted = mountFolder(folder);
      const shown = join(mounted.path, device);
      expectSameDisk(disk, { shown, original: file, files }, (ours, theirs) => {
        expectSameGroup(ours, theirs);
        if (hasDeviceMapper()) expect(filesInGroup(ours)).toEqual(volumeFiles);
      });
    }
  },
  TIMEOUT,
);

const hasDeviceMapper = (): boolean => readFileSync("/proc/misc", "utf8").includes("device-mapper");

/** The files of the logical volume, activated. */
function filesInGroup(device: string): string[] | null {
  lvm(device, "vgchange", "-ay", "vgx");
  try {
    return filesOn("/dev/vgx/root", "ext4");
  } finally {
    lvm(device, "vgchange", "-an", "vgx");
  }
}
