import { afterAll, expect } from "bun:test";
import { readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { readImageFolder } from "../../src/clonezilla/image-folder.ts";
import { runCommand, scriptOf } from "../cli/program.ts";
import { expectSameBytes } from "../real/compare.ts";
import { partcloneRestore } from "../real/savers.ts";
import { loopDevice, must, scratchDirectory } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { groupWith, lvm } from "./lvm.ts";
import { mountFolder } from "./mounted.ts";
import { type Compressor, ocsSave, PIGZ, saveVolume, ZSTD } from "./ocs.ts";
import {
  filesOn,
  fill,
  GPT_DISK,
  MBR_DISK,
  makeRealDisk,
  type RealDisk,
  sparse,
} from "./real-disk.ts";
import { tableOf } from "./tables.ts";

/** Folders that Clonezilla itself makes of real disks. */

const MiB = 2 ** 20;
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

/** Extents of the logical volume, in two parts. */
const ROOT_VOLUME = {
  name: "root",
  segments: [
    { count: 2, at: 5 },
    { count: 5, at: 0 },
  ],
};
const EXTENT = 4 * MiB;

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
  const volume = group ? makeVolume(attached, `${path}p${group.number}`) : null;
  const files = new Map(
    disk.partitions.map(({ number, holds }) => [number, filesOn(`${path}p${number}`, holds)]),
  );
  must(["sync"]);
  const folder = await ocsSave(stack, path, compressor, options);
  if (volume !== null) saveVolume(folder, volume, "vgx-root", compressor);
  const volumeFiles = volume === null ? null : filesOn(loopDevice(attached, volume, "ro"), "ext4");
  return { disk, compressor, file, device, folder, files, volumeFiles };
}

/** A volume group on the partition, and a logical volume with files; the latter's bytes in a file. */
function makeVolume(place: DisposableStack, device: string): string {
  groupWith(device, [ROOT_VOLUME]);
  const size = ROOT_VOLUME.segments.reduce((sum, { count }) => sum + count * EXTENT, 0);
  const volume = sparse(join(scratchDirectory(stack), "volume"), size);
  fill(loopDevice(place, volume, "rw"), "ext4");
  must(["sync"]);
  let from = 0;
  for (const { count, at } of ROOT_VOLUME.segments) {
    const to = MiB + at * EXTENT;
    const extents = [`skip=${from * EXTENT}`, `seek=${to}`, `count=${count * EXTENT}`];
    const flags = ["iflag=skip_bytes,count_bytes", "oflag=seek_bytes", "bs=1M", "status=none"];
    must(["dd", `if=${volume}`, `of=${device}`, ...extents, ...flags, "conv=notrunc"]);
    from += count;
  }
  return volume;
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
      const whole = { path: join(mounted.path, device), size: disk.size };
      expect(statSync(whole.path).size).toBe(disk.size);
      expect(tableOf(whole)).toEqual(tableOf({ path: file, size: disk.size }));
      for (const [index, { start, size }] of disk.parts.entries()) {
        const { number = 0, holds = "" } = disk.partitions[index] ?? {};
        using place = new DisposableStack();
        const range = ["--offset", `${start * 512}`, "--sizelimit", `${size * 512}`];
        const attach = ["losetup", "--read-only", "--find", "--show", ...range];
        const [ours, theirs] = [whole.path, file].map((path) => {
          const loop = must([...attach, path]).trim();
          place.defer(() => must(["losetup", "--detach", loop]));
          return loop;
        });
        if (!ours || !theirs) throw new Error("unreachable");
        expect(filesOn(ours, holds)).toEqual(files.get(number) ?? null);
        const tags = (path: string) => must(["blkid", "-p", "-o", "export", path]);
        if (holds !== "extended") {
          expect(tags(ours).replaceAll(ours, "")).toBe(tags(theirs).replaceAll(theirs, ""));
        }
        if (holds === "volume group") {
          expectSameGroup(ours, theirs);
          if (hasDeviceMapper()) expect(filesInGroup(ours)).toEqual(volumeFiles);
        }
      }
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

/** LVM finds the same in both, and the logical volume's bytes are the same. */
function expectSameGroup(ours: string, theirs: string): void {
  const columns = "lv_uuid,lv_name,lv_size,seg_start,seg_pe_ranges,vg_uuid";
  const told = (of: string) => lvm(of, "lvs", "--segments", "-o", columns).replaceAll(of, "");
  expect(told(ours)).toBe(told(theirs));
  expect(lvm(ours, "vgck", "vgx")).toBe("");
  const volumes = [ours, theirs].map((device) => {
    const bytes = readFileSync(device);
    const extents = ROOT_VOLUME.segments.map(({ count, at }) =>
      bytes.subarray(MiB + at * EXTENT, MiB + (at + count) * EXTENT),
    );
    return Buffer.concat(extents);
  });
  const [own = Buffer.alloc(0), real = Buffer.alloc(0)] = volumes;
  expect(Buffer.compare(own, real)).toBe(0);
}
