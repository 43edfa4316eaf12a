import { expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { example } from "../../fixtures-gen/examples.ts";
import { swapHeader } from "../../src/clonezilla/disk/swap-area.ts";
import { direct, serversOf } from "../cli/mounted.ts";
import { linesOf, runCommand, type Scratch, scratch, scriptOf } from "../cli/program.ts";
import { mountDirectory, mountNeeds, ROOT, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { mountFolder } from "./mounted.ts";
import { makeDisk, saveTable, tableOf } from "./tables.ts";
import { pieces, written } from "./written.ts";

const TIMEOUT = 30_000;
const v1 = example("v1-ntfs-tail");
const v2 = example("v2-xxh128");
const ntfs = example("ntfs-10.1");
const SAME = { status: 0, out: "", err: "" };
const raw = Buffer.from(Array.from({ length: 70_001 }, (_, index) => index % 251));

testWith(
  mountNeeds(ROOT),
  "each image is a file with its partition, whatever its kind; one that does not open hurts no other",
  async () => {
    using folder = written({
      "sda1.ntfs-ptcl-img.uncomp": v1.image,
      ...pieces("sda2.ext4-ptcl-img.zst.", zstdCompressSync(v2.image), ["aa", "ab", "ac"]),
      "sda3.ntfs-img": gzipSync(ntfs.image),
      ...pieces("sda4.dd-img.", raw, ["aa", "ab"]),
      "sda5.ext4-ptcl-img.gz": gzipSync("no image"),
      "vg-root.ext4-ptcl-img.gz": gzipSync(v2.image),
    });
    await using mounted = mountFolder(folder.path);
    expect(linesOf(mounted.err)).toEqual([
      expect.stringMatching(
        /^vclonezilla: warning: .*sda5.* is not a partclone or ntfsclone image/,
      ),
    ]);
    expect(readdirSync(mounted.path).sort()).toEqual(["sda1", "sda2", "sda3", "sda4", "vg-root"]);
    const content = { sda1: v1.partition, sda2: v2.partition, sda3: ntfs.partition };
    for (const [name, expected] of Object.entries({
      ...content,
      sda4: raw,
      "vg-root": v2.partition,
    })) {
      const file = join(mounted.path, name);
      expect(mounted.out).toContain(`${file}: the `);
      expect(statSync(file).size).toBe(expected.length);
      expect(Buffer.compare(readFileSync(file), expected)).toBe(0);
    }
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "an image that turns out damaged gives errors, which are logged, and the others go on",
  async () => {
    using logs = scratch();
    const log = logs.file("log", "");
    const damaged = v2.image.slice();
    damaged.fill(0xaa, damaged.length - 2000, damaged.length - 1000);
    using folder = written({
      "sda1.ext4-ptcl-img.uncomp": damaged,
      "sda2.ext4-ptcl-img.zst": zstdCompressSync(v2.image),
    });
    await using mounted = mountFolder(folder.path, "--verify", "--log", log);
    expect(() => readFileSync(join(mounted.path, "sda1"))).toThrow("EIO");
    expect(Buffer.compare(readFileSync(join(mounted.path, "sda2")), v2.partition)).toBe(0);
    expect(readFileSync(log, "utf8")).toContain(`sda1: input/output error: `);
  },
  TIMEOUT,
);

testWith(
  [...mountNeeds(ROOT), "xz"],
  "compressed dd images have their size also without a table; what does not mount is told",
  async () => {
    const random = randomBytes(70_001);
    const cut = gzipSync(random);
    using folder = written({
      "sda1.dd-ptcl-img.gz": cut,
      ...pieces("sda2.dd-ptcl-img.zst.", zstdCompressSync(raw), ["aa", "ab"]),
      "sda3.dd-ptcl-img.gz": cut.subarray(0, cut.length - 2000),
    });
    const { path } = folder;
    const lzma = ["sh", "-c", `xz --format=lzma > ${path}/sda4.ext4-ptcl-img.lzma`];
    expect(runCommand(lzma, { stdin: v2.image })).toEqual(SAME);
    await using mounted = mountFolder(path);
    expect(linesOf(mounted.err)).toEqual([expect.stringContaining(`${path}/sda3.dd-ptcl-img.gz`)]);
    expect(readdirSync(mounted.path).sort()).toEqual(["sda1", "sda2", "sda4"]);
    expect(Buffer.compare(readFileSync(join(mounted.path, "sda4")), v2.partition)).toBe(0);
    expect(Buffer.compare(readFileSync(join(mounted.path, "sda1")), random)).toBe(0);
    expect(Buffer.compare(readFileSync(join(mounted.path, "sda2")), raw)).toBe(0);
  },
  TIMEOUT,
);

testWith(
  [...mountNeeds(ROOT), "sfdisk"],
  "what a dd image lacks of its partition is an error, not zeros",
  async () => {
    const start = 64 * 512;
    const part = raw.subarray(0, 5 * 4096);
    using folder = written({
      "sda-pt.sf": "label: dos\nsector-size: 512\n\n/dev/sda1 : start=64, size=80, type=83\n",
      "sda1.dd-img": part,
    });
    await using mounted = mountFolder(folder.path);
    for (const [file, offset] of [
      [join(mounted.path, "sda1"), 0],
      [join(mounted.path, "sda"), start],
    ] as const) {
      expect(statSync(file).size).toBe(offset + 80 * 512);
      expect(direct(ROOT, file, offset, part.length).bytes).toEqual(part);
      expect(direct(ROOT, file, offset + part.length, 4096)).toMatchObject({
        ...{ status: 1, err: expect.stringContaining("Input/output error") },
      });
    }
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "a folder named from the working directory, which the server leaves",
  async () => {
    using folder = written({ "sda1.ext4-ptcl-img.zst": zstdCompressSync(v2.image) });
    using point = mountDirectory(ROOT);
    const [cwd, name] = [dirname(folder.path), basename(folder.path)];
    const cmd = [process.execPath, scriptOf("vclonezilla"), name, "-m", point.path];
    expect(runCommand(cmd, { cwd })).toMatchObject({ status: 0, err: "" });
    expect(Buffer.compare(readFileSync(join(point.path, "sda1")), v2.partition)).toBe(0);
    expect(runCommand(["umount", point.path])).toEqual(SAME);
    await until(() => serversOf(point.path).length === 0);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "images of which no name is left have one all the same",
  async () => {
    const zipped = gzipSync(v2.image);
    using folder = written({
      ...{ ".gz": zipped, "..gz": zipped, "...ext4-ptcl-img.gz": zipped, "sda1.gz": zipped },
    });
    await using mounted = mountFolder(folder.path);
    const names = readdirSync(mounted.path).sort();
    expect(names).toEqual(["partition", "partition.", "partition..", "sda1"]);
    for (const name of names) {
      expect(Buffer.compare(readFileSync(join(mounted.path, name)), v2.partition)).toBe(0);
    }
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "a folder of very many images",
  async () => {
    const names = Array.from({ length: 400 }, (_, index) => `${"n".repeat(200)}-${index}`);
    using folder = written(
      Object.fromEntries(names.map((name) => [`${name}.ext4-ptcl-img.uncomp`, v2.image])),
    );
    await using mounted = mountFolder(folder.path);
    expect(readdirSync(mounted.path).sort()).toEqual(names.sort());
  },
  TIMEOUT,
);

testWith(mountNeeds(ROOT), "a folder without images is not mounted, and the reason told", () => {
  using folder = written({ "notes.txt": "nothing" });
  using point = mountDirectory(ROOT);
  const cmd = [process.execPath, scriptOf("vclonezilla"), folder.path, "-m", point.path];
  expect(runCommand(cmd)).toMatchObject({
    status: 1,
    err: `vclonezilla: ${folder.path}: there is no image in it\n`,
  });
});

/** A disk with an extended partition, its folder, and what the whole disk must be. */
function savedDisk(place: Scratch) {
  const sectors = (bytes: Uint8Array) => Math.ceil(bytes.length / 512);
  const parts = [
    { start: 64, size: sectors(v2.partition) + 3, type: "83" },
    { start: 4096, size: sectors(v1.partition), type: "7" },
    { start: 8192, size: 9000, type: "5" },
    { start: 9000, size: sectors(ntfs.partition), type: "7" },
    { start: 15000, size: 100, type: "82" },
  ];
  const disk = makeDisk(join(place.path, "disk"), 9 * 2 ** 20, "dos", parts);
  const swap = { device: "sda6", uuid: "f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5", label: "swap" };
  const folder = written({
    "sda1.ext4-ptcl-img.zst": zstdCompressSync(v2.image),
    "sda2.ntfs-ptcl-img.uncomp": v1.image,
    "sda5.ntfs-ptcl-img.gz": gzipSync(ntfs.image),
    "swappt-sda6.info": `UUID="${swap.uuid}"\nLABEL="${swap.label}"\n`,
  });
  saveTable(disk, folder.path);
  rmSync(join(folder.path, "sda-gpt-1st"));
  const whole = readFileSync(disk.path);
  writeFileSync(join(folder.path, "sda3-ebr"), whole.subarray(8192 * 512, 8193 * 512));
  whole.set(v2.partition, 64 * 512);
  whole.set(v1.partition, 4096 * 512);
  whole.set(ntfs.partition, 9000 * 512);
  whole.set(swapHeader(swap, 51200) ?? [], 15000 * 512);
  return { disk, folder, whole, expected: place.file("whole", whole) };
}

testWith(
  [...mountNeeds(ROOT), "sfdisk"],
  "the whole disk: the table, the partitions, swap and holes; images are opened when they are read",
  async () => {
    using place = scratch();
    const { disk, folder, whole, expected } = savedDisk(place);
    using _ = folder;
    await using mounted = mountFolder(folder.path);
    const file = join(mounted.path, "sda");
    expect(mounted.out).toContain(`${file}: the whole disk, MBR, 9.0 MiB (9,437,184 bytes)`);
    const opened = () =>
      serversOf(mounted.path)
        .flatMap((pid) => readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`))
        .map((fd) => readlinkSync(fd))
        .filter((path) => path.startsWith(folder.path));
    expect(opened()).toEqual([]);
    expect(direct(ROOT, file, 4096 * 512, 4096).bytes).toEqual(
      whole.subarray(4096 * 512, 4097 * 512 + 3584),
    );
    expect(opened()).toEqual([join(folder.path, "sda2.ntfs-ptcl-img.uncomp")]);
    expect(tableOf({ path: file, size: 0 })).toEqual(tableOf(disk));
    const copy = join(place.path, "copy");
    expect(runCommand(["cp", file, copy])).toEqual(SAME);
    expect(runCommand(["cmp", copy, expected])).toEqual(SAME);
    expect(statSync(copy).blocks).toBeLessThan(statSync(copy).size / 512 / 2);
  },
  TIMEOUT,
);

testWith(
  [...mountNeeds(ROOT), "sfdisk"],
  "the whole disk: what one image lacks is an error in its own place only",
  async () => {
    using place = scratch();
    using logs = scratch();
    const log = logs.file("log", "");
    const { folder, expected } = savedDisk(place);
    using _ = folder;
    writeFileSync(join(folder.path, "sda1.ext4-ptcl-img.zst"), gzipSync("no image"));
    const cut = v1.image.slice(0, v1.image.length - 5000);
    writeFileSync(join(folder.path, "sda2.ntfs-ptcl-img.uncomp"), cut);
    await using mounted = mountFolder(folder.path, "--log", log);
    const file = join(mounted.path, "sda");
    const compare = (from: number, sectors: number) =>
      runCommand([
        ...["cmp", `--ignore-initial=${from * 512}`, `--bytes=${sectors * 512}`],
        ...[file, expected],
      ]);
    const failed = { err: expect.stringContaining("Input/output error") };
    expect(compare(0, 64)).toEqual(SAME);
    expect(compare(64, 100)).toMatchObject(failed);
    expect(compare(4096, v1.partition.length / 512)).toMatchObject(failed);
    expect(compare(8192, 9 * 2048 - 8192)).toEqual(SAME);
    expect(readFileSync(log, "utf8")).toContain("sda1.ext4-ptcl-img.zst: is not a partclone");
  },
  TIMEOUT,
);
