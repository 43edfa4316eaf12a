import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { example } from "../../fixtures-gen/examples.ts";
import { readImageFolder } from "../../src/clonezilla/image-folder.ts";
import { scratch } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { makeDisk, saveTable } from "./tables.ts";
import { written } from "./written.ts";

/** A folder's small files may be damaged or hostile: they give a reason, never a crash. */

const TIMEOUT = 60_000;
const MiB = 2 ** 20;
const LVM = `contents = "Text Format Volume Group"
version = 1
vg {
  id = "a"
  extent_size = 8192
  physical_volumes { pv0 { id = "u" dev_size = 4096 pe_start = 2048 } }
  logical_volumes { lv { segment1 {
    start_extent = 0 extent_count = 1 type = "striped" stripe_count = 1 stripes = ["pv0", 0]
  } } }
}
`;

const GPT = `label: gpt
device: /dev/sda
unit: sectors

/dev/sda1 : start=64, size=2000, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, attrs="GUID:63"
`;

test.each([
  ["an attribute that GPT has no bit for", GPT.replace("GUID:63", "GUID:64"), "24576s"],
  ["one beyond all numbers", GPT.replace("GUID:63", "GUID:99999999999"), "24576s"],
  ["a disk without a sector", GPT, "0s"],
])("%s is nothing that the table tells", async (_, table, size) => {
  using folder = written({ "sda-pt.sf": table, "sda-pt.parted": `Disk /dev/sda: ${size}\n` });
  const { disks } = await readImageFolder(folder.path);
  expect(disks).toMatchObject([{ device: "sda", problem: null }]);
});

interface Damage {
  readonly file: number;
  readonly at: number;
  readonly kind: "byte" | "cut" | "number" | "word";
  readonly value: number;
}

const damage = fc.record<Damage>({
  file: fc.nat(99),
  at: fc.nat(2 ** 20),
  kind: fc.constantFrom("byte", "cut", "number", "word"),
  value: fc.oneof(fc.nat(255), fc.nat(2 ** 31 - 1), fc.constantFrom(2 ** 32, 2 ** 53, 1e30, -1)),
});

function damaged(bytes: Buffer, { at, kind, value }: Damage): Buffer {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  if (kind === "cut") return copy.subarray(0, at % copy.length);
  if (kind === "byte") copy.writeUInt8(value & 255, at % copy.length);
  if (kind === "word" && copy.length >= 8) {
    copy.writeUInt32LE((value % 2 ** 32) >>> 0, (at % (copy.length - 4)) & ~3);
  }
  if (kind !== "number") return copy;
  const text = bytes.toString("latin1");
  const numbers = [...text.matchAll(/\d+/g)];
  const found = numbers[at % Math.max(1, numbers.length)];
  if (!found) return copy;
  const [digits] = found;
  const [before, behind] = [text.slice(0, found.index), text.slice(found.index + digits.length)];
  return Buffer.from(`${before}${value}${behind}`, "latin1");
}

testWith(
  ["sfdisk"],
  "damaged metadata give a disk whose parts are apart, or a reason",
  async () => {
    using folder = scratch();
    using place = scratch();
    const path = (name: string) => join(folder.path, name);
    const gpt = makeDisk(join(place.path, "gpt"), 12 * MiB, "gpt", [
      { start: 64, size: 2000, type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4" },
      { start: 4096, size: 16000, type: "E6D6D379-F507-44C2-A23C-238F2A3DF928" },
    ]);
    const mbr = makeDisk(join(place.path, "mbr"), 12 * MiB, "dos", [
      { start: 64, size: 2000, type: "83" },
      { start: 2100, size: 20000, type: "5" },
      { start: 2200, size: 1000, type: "82" },
      { start: 4000, size: 1000, type: "83" },
    ]);
    saveTable(gpt, folder.path);
    writeFileSync(path("sda-gpt-1st"), readFileSync(gpt.path).subarray(0, 34 * 512));
    const bytes = readFileSync(mbr.path);
    using other = scratch();
    const saved = saveTable(mbr, other.path);
    for (const name of ["pt.sf", "pt.parted", "mbr", "hidden-data-after-mbr"]) {
      const content = readFileSync(saved[`sda-${name}`] ?? "");
      writeFileSync(
        path(`sdb-${name}`),
        content.toString("latin1").replaceAll("/dev/sda", "/dev/sdb"),
        "latin1",
      );
    }
    writeFileSync(path("sdb2-ebr"), bytes.subarray(2100 * 512, 2101 * 512));
    writeFileSync(path("swappt-sdb5.info"), 'UUID="f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5"\n');
    writeFileSync(path("lvm_vg_dev.list"), "vg /dev/sda2 u\n");
    writeFileSync(path("lvm_vg.conf"), LVM);
    const image = gzipSync(example("v2-xxh128").image);
    for (const name of ["sda1", "vg-lv", "sdb1", "sdb6"]) {
      writeFileSync(path(`${name}.ext4-ptcl-img.gz`), image);
    }
    const names = [
      ...["sda-pt.sf", "sda-pt.parted", "sda-mbr", "sda-gpt-1st", "lvm_vg_dev.list", "lvm_vg.conf"],
      ...["sdb-pt.sf", "sdb-pt.parted", "sdb-mbr", "sdb2-ebr", "swappt-sdb5.info"],
    ];
    const { disks } = await readImageFolder(folder.path);
    expect(disks).toMatchObject([
      { device: "sda", problem: null },
      { device: "sdb", problem: null },
    ]);
    let whole = 0;
    const property = fc.asyncProperty(
      fc.array(damage, { minLength: 1, maxLength: 3 }),
      async (all) => {
        const originals = new Map<string, Buffer>();
        try {
          for (const each of all) {
            const file = path(names[each.file % names.length] ?? "");
            const now = readFileSync(file);
            if (!originals.has(file)) originals.set(file, now);
            writeFileSync(file, damaged(now, each));
          }
          for (const { layout, problem } of (await readImageFolder(folder.path)).disks) {
            expect(layout === null).toBe(problem !== null);
            if (!layout) continue;
            whole++;
            let end = 0;
            for (const { start, length } of layout.parts) {
              expect(start).toBeGreaterThanOrEqual(end);
              end = start + length;
            }
            expect(layout.size).toBeGreaterThanOrEqual(end);
            expect(Number.isSafeInteger(layout.size)).toBe(true);
          }
        } finally {
          for (const [file, content] of originals) writeFileSync(file, content);
        }
      },
    );
    await fc.assert(property, { numRuns: 300 });
    expect(whole).toBeGreaterThan(150);
  },
  TIMEOUT,
);
