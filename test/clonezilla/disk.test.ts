import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { filesOf } from "../../src/clonezilla/candidates.ts";
import { type DiskLayout, layOutDisk } from "../../src/clonezilla/disk/layout.ts";
import { swapHeader } from "../../src/clonezilla/disk/swap-area.ts";
import { readDisks, wholeDisk } from "../../src/clonezilla/disks.ts";
import { runCommand, scratch } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { makeDisk, must, type Part, saveTable, tableOf, writeLayout } from "./tables.ts";

const TIMEOUT = 60_000;
const RUNS = { numRuns: 8 };
const MiB = 2 ** 20;
const SIZE = 12 * MiB;
const SECTORS = SIZE / 512;
const LINUX = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
const MICROSOFT = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7";

function laidOut(folder: string): DiskLayout {
  const [disk] = readDisks(folder, filesOf(folder));
  if (!disk?.table) throw new Error("no table");
  const { device, table, size } = disk;
  return layOutDisk({ folder, device, table, size, find: () => null });
}

/** Runs of sectors with gaps of at least `least` before each. */
const runs = (least: number, most: number, count: number) =>
  fc.array(
    fc.record({
      gap: fc.integer({ min: least, max: least + 300 }),
      size: fc.integer({ min: 8, max: most }),
      choice: fc.nat(2),
    }),
    { minLength: 1, maxLength: count },
  );

type Run = { readonly gap: number; readonly size: number; readonly choice: number };

function placed(list: readonly Run[], from: number, types: readonly string[]): Part[] {
  let at = from;
  return list.map(({ gap, size, choice }) => {
    const start = at + gap;
    at = start + size;
    const type = types[choice % types.length] ?? "";
    const more = choice === 2 ? ', attrs="RequiredPartition GUID:60,63"' : "";
    return { start, size, type, ...(types[0] === LINUX && { more }) };
  });
}

testWith(
  ["sfdisk", "sgdisk"],
  "GPT: the saved sectors give the same disk; without them it is built anew, both copies valid",
  () => {
    const name = fc.string({ unit: "grapheme", maxLength: 12 });
    const property = fc.property(runs(0, 2_000, 10), name, (list, label) => {
      using folder = scratch();
      using place = scratch();
      const disk = makeDisk(
        join(place.path, "a"),
        SIZE,
        "gpt",
        placed(list, 34, [LINUX, MICROSOFT]),
      );
      // A name that sfdisk does not take is none for us to judge.
      runCommand(["sfdisk", "--quiet", "--part-label", disk.path, "1", label]);
      const saved = saveTable(disk, folder.path);
      const whole = writeLayout(join(place.path, "b"), laidOut(folder.path));
      expect(must("cmp", disk.path, whole.path)).toBe("");

      for (const file of ["sda-gpt-1st", "sda-hidden-data-after-mbr"]) rmSync(saved[file] ?? "");
      const built = writeLayout(join(place.path, "c"), laidOut(folder.path));
      expect(tableOf(built)).toEqual(tableOf(disk));
      expect(must("sgdisk", "--verify", built.path)).toContain("No problems found.");
      rmSync(saved["sda-mbr"] ?? "");
      rmSync(saved["sda-pt.parted"] ?? "");
      const bare = writeLayout(join(place.path, "d"), laidOut(folder.path));
      expect(tableOf(bare)).toEqual(tableOf(disk));
      expect(must("sgdisk", "--verify", bare.path)).toContain("No problems found.");
    });
    fc.assert(property, RUNS);
  },
  TIMEOUT,
);

testWith(
  ["sfdisk"],
  "MBR: primary and logical partitions, with and without the saved sectors",
  () => {
    const types = ["83", "7", "82"];
    const shape = fc.record({
      primary: runs(1, 2_000, 3),
      gap: fc.integer({ min: 1, max: 100 }),
      logical: fc.option(runs(2, 2_000, 5)),
      code: fc.uint8Array({ minLength: 440, maxLength: 440 }),
    });
    const property = fc.property(shape, ({ primary, gap, logical, code }) => {
      using folder = scratch();
      using place = scratch();
      const first = placed(primary, 1, types).map((part, index) =>
        index === 0 ? { ...part, more: ", bootable" } : part,
      );
      const last = first.at(-1);
      const at = (last ? last.start + last.size : 1) + gap;
      const inside = placed(logical ?? [], at, types);
      const parts = logical
        ? [...first, { start: at, size: SECTORS - at, type: "f" }, ...inside]
        : first;
      const disk = makeDisk(join(place.path, "a"), SIZE, "dos", parts);
      const bytes = readFileSync(disk.path);
      bytes.set(code);
      writeFileSync(disk.path, bytes);
      const saved = saveTable(disk, folder.path);
      const extended = `sda${first.length + 1}-ebr`;
      const ebr = join(folder.path, extended);
      if (logical) writeFileSync(ebr, bytes.subarray(at * 512, at * 512 + 512));

      rmSync(saved["sda-gpt-1st"] ?? "");
      const whole = writeLayout(join(place.path, "b"), laidOut(folder.path));
      expect(must("cmp", disk.path, whole.path)).toBe("");
      if (!logical) {
        // The sector alone tells, too.
        const dump = readFileSync(saved["sda-pt.sf"] ?? "");
        rmSync(saved["sda-pt.sf"] ?? "");
        writeLayout(whole.path, laidOut(folder.path));
        expect(must("cmp", disk.path, whole.path)).toBe("");
        writeFileSync(saved["sda-pt.sf"] ?? "", dump);
      }

      for (const file of ["sda-mbr", "sda-hidden-data-after-mbr"]) rmSync(saved[file] ?? "");
      if (logical) rmSync(ebr);
      const built = writeLayout(join(place.path, "c"), laidOut(folder.path));
      expect(tableOf(built)).toEqual(tableOf(disk));
      const verdict = (path: string) =>
        must("sfdisk", "--verify", path)
          .replaceAll(path, "")
          .replace(/^.*unallocated.*$/m, "");
      expect(verdict(built.path)).toBe(verdict(disk.path));
    });
    fc.assert(property, RUNS);
  },
  TIMEOUT,
);

testWith(
  ["root", "/dev/loop-control", "sfdisk", "sgdisk"],
  "GPT on a disk with sectors of 4 KiB: the saved 34 half-kilobytes are cut, and completed",
  () => {
    using folder = scratch();
    using place = scratch();
    const file = place.file("a", new Uint8Array(8 * MiB));
    const device = must("losetup", "--find", "--show", "--sector-size", "4096", file).trim();
    try {
      const stdin = Buffer.from("label: gpt\nstart=300, size=500\nstart=900, size=900, name=x\n");
      expect(runCommand(["sfdisk", "--quiet", device], { stdin }).status).toBe(0);
      const disk = { path: device, size: 8 * MiB };
      const saved = saveTable(disk, folder.path, 4096);
      rmSync(saved["sda-hidden-data-after-mbr"] ?? "");
      const whole = writeLayout(join(place.path, "b"), laidOut(folder.path));
      expect(must("cmp", file, whole.path)).toBe("");
      // Before 2020 sfdisk did not tell, nor does a folder without its dump: parted does.
      const dump = readFileSync(saved["sda-pt.sf"] ?? "", "utf8");
      for (const old of [dump.replace(/^sector-size:.*\n/m, ""), ""]) {
        writeFileSync(saved["sda-pt.sf"] ?? "", old);
        writeLayout(whole.path, laidOut(folder.path));
        expect(must("cmp", file, whole.path)).toBe("");
      }
      writeFileSync(saved["sda-pt.sf"] ?? "", dump);
      rmSync(saved["sda-gpt-1st"] ?? "");
      const backup = join(folder.path, "sda-gpt.gdisk");
      must("sgdisk", "--backup", backup, device);
      const other = writeLayout(join(place.path, "other"), laidOut(folder.path));
      expect(must("cmp", file, other.path)).toBe("");
      rmSync(backup);
      const built = writeLayout(join(place.path, "c"), laidOut(folder.path));
      must("dd", `if=${built.path}`, `of=${device}`, "bs=1M", "status=none");
      const [a = "", b = ""] = [saved["sda-pt.sf"] ?? "", join(place.path, "dump")];
      writeFileSync(b, must("sfdisk", "--dump", device).replaceAll(device, "/dev/sda"));
      expect(readFileSync(b, "utf8")).toBe(readFileSync(a, "utf8"));
    } finally {
      must("losetup", "--detach", device);
    }
  },
  TIMEOUT,
);

testWith(
  ["sfdisk", "sgdisk"],
  "GPT with its entries elsewhere: sgdisk's backup has them, and what is in their usual place stays",
  () => {
    using folder = scratch();
    using place = scratch();
    const disk = { path: place.file("a", new Uint8Array(SIZE)), size: SIZE };
    must("sgdisk", "--clear", "--move-main-table=2048", disk.path);
    must("sgdisk", "--resize-table=256", "--new=200:4096:+1M", "--new=1:9000:9100", disk.path);
    const bytes = readFileSync(disk.path);
    bytes.set(randomBytes(18 * 512), 16 * 512);
    writeFileSync(disk.path, bytes);
    const saved = saveTable(disk, folder.path);
    rmSync(saved["sda-hidden-data-after-mbr"] ?? "");
    const backup = join(folder.path, "sda-gpt.gdisk");
    must("sgdisk", "--backup", backup, disk.path);
    const whole = writeLayout(join(place.path, "b"), laidOut(folder.path));
    // sgdisk leaves a gap before the second header, too, where nobody expects one.
    expect(must("cmp", `--bytes=${SIZE / 2}`, disk.path, whole.path)).toBe("");
    expect(must("sgdisk", "--verify", whole.path)).toContain("No problems found.");
    rmSync(backup);
    const built = writeLayout(join(place.path, "c"), laidOut(folder.path));
    expect(tableOf(built)).toEqual(tableOf(disk));
    expect(must("sgdisk", "--verify", built.path)).toContain("No problems found.");
  },
  TIMEOUT,
);

testWith(
  ["sfdisk", "sgdisk"],
  "GPT by FOG: sgdisk's backup gives the same disk",
  () => {
    using folder = scratch();
    using place = scratch();
    const parts = [{ start: 2048, size: 900, type: LINUX }];
    const disk = makeDisk(join(place.path, "a"), SIZE, "gpt", parts);
    must("sgdisk", "--backup", join(folder.path, "d1.mbr"), disk.path);
    const dump = must("sfdisk", "--dump", disk.path).replaceAll(disk.path, "/dev/sda");
    writeFileSync(join(folder.path, "d1.partitions"), dump);
    for (const dumpOf of ["today", "before 2014", "none"]) {
      const file = join(folder.path, "d1.partitions");
      const old = "unit: sectors\n\n/dev/sda1 : start= 1, size= 24575, Id=ee\n";
      if (dumpOf === "before 2014") writeFileSync(file, old);
      if (dumpOf === "none") rmSync(file);
      const whole = writeLayout(join(place.path, dumpOf), laidOut(folder.path));
      expect(must("cmp", disk.path, whole.path)).toBe("");
    }
  },
  TIMEOUT,
);

testWith(["mkswap", "blkid"], "a swap area is as mkswap makes it", () => {
  using place = scratch();
  const uuid = "f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5";
  const size = 5 * MiB + 512;
  const file = place.file("swap", new Uint8Array(size));
  must("mkswap", "-U", uuid, "-L", "größer", file);
  const whole = new Uint8Array(size);
  whole.set(swapHeader({ device: "sda5", uuid, label: "größer" }, size) ?? []);
  expect(Buffer.compare(readFileSync(file), whole)).toBe(0);
});

const dumped = (...lines: string[]) =>
  ["label: dos", "label-id: 0x1", "unit: sectors", "sector-size: 512", "", ...lines].join("\n");

test.each([
  [["/dev/sda1 : start=10, size=10", "/dev/sda2 : start=15, size=10"], "sda1 and sda2 overlap"],
  [["/dev/sda1 : start=10, size=10", "/dev/sda5 : start=30, size=10"], "no extended one"],
  [["/dev/sda1 : start=0, size=10, type=83"], "partition 1 is nowhere"],
  [["/dev/sda1 : start=4294967290, size=100"], "partition 1 is nowhere"],
  [["/dev/sda1 : start=1e300, size=10"], "partition 1 is nowhere"],
  [["/dev/sda1 : start=10, size=10", "/dev/sda1 : start=30, size=10"], "impossible numbers"],
  [["/dev/sda99999 : start=10, size=10"], "impossible numbers"],
  [["/dev/sda1 : start=10, size=10, type=5", "/dev/sda5 : start=30, size=10"], "not inside"],
  [[], "no partition"],
])("a table that makes no sense gives no disk: %p", (lines, problem) => {
  using folder = scratch();
  folder.file("sda-pt.sf", `${dumped(...lines)}\n`);
  const parts = ["sda1", "sda2", "sda5"].map((device) => [device, { deviceSize: 5120 }] as const);
  const images = new Map<string, { deviceSize: number }>(parts);
  const [disk] = readDisks(folder.path, ["sda-pt.sf"]);
  if (!disk) throw new Error("no disk");
  const find = (device: string) => {
    const image = images.get(device);
    return image ? { image: { ...image, format: null }, swap: null } : null;
  };
  expect(wholeDisk(folder.path, disk, find).problem).toContain(problem);
});

test.each([
  [
    `sector-size: ${1e15}\n\n/dev/sda1 : start=1, size=9, type=ee\n`,
    "",
    "sectors of 1000000000000000",
  ],
  ["/dev/sda1 : start=1, size=9, Id=ee\n", `${1e15}`, "sectors of 1000000000000000"],
  ["", `${1e15}`, "its partition table is not saved"],
])("no disk has sectors that large: %p, %p", (dump, size, problem) => {
  using folder = scratch();
  folder.file("sda-pt.sf", dump);
  folder.file("sda-pt.parted", `Sector size (logical/physical): ${size}B/512B\n`);
  const [disk] = readDisks(folder.path, ["sda-pt.sf"]);
  expect(disk && wholeDisk(folder.path, disk, () => null).problem).toContain(problem);
});

test("an image larger than its place cannot be read there, and all else can", () => {
  using folder = scratch();
  folder.file("sda-pt.sf", `${dumped("/dev/sda1 : start=10, size=10")}\n`);
  const [disk] = readDisks(folder.path, ["sda-pt.sf"]);
  if (!disk) throw new Error("no disk");
  const image = { format: null, deviceSize: 5632 };
  const { layout } = wholeDisk(folder.path, disk, (device) =>
    device === "sda1" ? { image, swap: null } : null,
  );
  expect(layout?.parts).toMatchObject([
    { start: 0, length: 512 },
    { start: 5120, length: 5120, filling: { problem: expect.stringContaining("5.5 KiB") } },
  ]);
});
