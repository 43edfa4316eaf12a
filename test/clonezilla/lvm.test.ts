import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layOutDisk } from "../../src/clonezilla/disk/layout.ts";
import { parseLvmConfig } from "../../src/clonezilla/disk/lvm-config.ts";
import { readPhysicalVolume } from "../../src/clonezilla/disk/volume-group.ts";
import { readDisks } from "../../src/clonezilla/disks.ts";
import { scratch } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { groupWith, loop, lvm } from "./lvm.ts";
import { writeLayout } from "./tables.ts";
import { written } from "./written.ts";

const TIMEOUT = 60_000;
const MiB = 2 ** 20;

test("LVM's language: values, lists, sections, remarks", () => {
  const text = `# a remark
vg { # another
  id = "a \\"quoted\\" \\\\ text"
  n = -12
  list = ["a", 1, ["b"],]
  empty = []
  0 { x = 1.5 }
  lv-1.a+b { }
}
version = 1
`;
  const parsed = parseLvmConfig(text);
  const plain = (value: unknown): unknown =>
    value instanceof Map
      ? Object.fromEntries([...value].map(([key, each]) => [key, plain(each)]))
      : value;
  expect(plain(parsed)).toEqual({
    vg: {
      ...{ id: 'a "quoted" \\ text', n: -12, list: ["a", 1, ["b"]], empty: [] },
      ...{ "0": { x: 1.5 }, "lv-1.a+b": {} },
    },
    version: 1,
  });
  for (const broken of ["vg {", "}", "a =", "a = [1", "a b", 'a = "open', "a = {}", "= 1"]) {
    expect(parseLvmConfig(broken)).toBeNull();
  }
  expect(parseLvmConfig("a {".repeat(9999))).toBeNull();
  expect(parseLvmConfig(`a = ${"[".repeat(9999)}`)).toBeNull();
});

testWith(
  ["root", "/dev/loop-control", "pvcreate", "vgcfgrestore", "sfdisk"],
  "a physical volume is put together of the group's text and the volumes' images",
  () => {
    using stack = new DisposableStack();
    using place = scratch();
    const file = place.file("pv", "");
    truncateSync(file, 48 * MiB);
    const device = loop(stack, file);
    const { config, uuid } = groupWith(device, [
      {
        name: "root",
        segments: [
          { count: 2, at: 5 },
          { count: 3, at: 0 },
        ],
      },
      { name: "swap", segments: [{ count: 2, at: 7 }] },
      { name: "none", segments: [{ count: 1, at: 9 }] },
    ]);
    using folder = written({
      "sda-pt.sf": `label: dos\nsector-size: 512\n\n/dev/sda1 : start=2048, size=${48 * 2048}, type=8e\n`,
      "lvm_vg_dev.list": `vgx /dev/sda1 ${uuid}\n`,
      "lvm_logv.list": "/dev/vgx/root  data\n",
      "lvm_vgx.conf": config,
    });
    const [disk] = readDisks(folder.path, ["sda-pt.sf"]);
    if (!disk?.table) throw new Error("no table");
    const swap = { device: "vgx-swap", uuid, label: null };
    const root = randomBytes(18 * MiB);
    const layout = layOutDisk({
      ...{ folder: folder.path, device: "sda", table: disk.table, size: null },
      find: (name) => {
        if (name === "vgx-root")
          return { image: { format: null, deviceSize: root.length }, swap: null };
        return name === "vgx-swap" ? { image: null, swap } : null;
      },
    });
    const built = writeLayout(join(place.path, "disk"), layout, { "vgx-root": root });
    const copy = loop(stack, built.path, 2048 * 512);
    // What LVM reads of both is the same.
    const volumeColumns = "pv_uuid,pv_size,pe_start,vg_name,vg_uuid,vg_seqno,pv_ext_vsn,pv_in_use";
    expect(lvm(copy, "pvs", "-o", volumeColumns)).toBe(lvm(device, "pvs", "-o", volumeColumns));
    const columns = "lv_uuid,lv_name,lv_size,seg_start,seg_size,seg_pe_ranges";
    const segments = (of: string) =>
      lvm(of, "lvs", "--segments", "--separator", " ", "-o", columns).replaceAll(of, "");
    expect(segments(copy)).toBe(segments(device));
    expect(lvm(copy, "vgck", "vgx")).toBe("");
    expect(lvm(copy, "pvck", copy)).toBe(lvm(device, "pvck", device).replaceAll(device, copy));
    const bytes = readFileSync(built.path).subarray(2048 * 512);
    const data = (extent: number, count: number) =>
      bytes.subarray(MiB + extent * 4 * MiB, MiB + (extent + count) * 4 * MiB);
    const volume = Buffer.concat([data(5, 2), data(0, 3)]);
    expect(Buffer.compare(volume.subarray(0, root.length), root)).toBe(0);
    expect(Buffer.compare(volume.subarray(root.length), Buffer.alloc(2 * MiB))).toBe(0);
    expect(data(7, 2).toString("latin1", 4086, 4096)).toBe("SWAPSPACE2");
    expect(data(7, 2).readUInt32LE(1028)).toBe((8 * MiB) / 4096 - 1);
    // The label is LVM's own, byte for byte.
    const label = readFileSync(file).subarray(512, 1024);
    expect(Buffer.compare(bytes.subarray(512, 1024), label)).toBe(0);
  },
  TIMEOUT,
);

test("volumes that are not linear, and texts of other groups, are refused with the reason", () => {
  const conf = (type: string, stripes: string) => `vg {
  extent_size = 8192
  physical_volumes { pv0 { id = "u" dev_size = 98304 pe_start = 2048 } }
  logical_volumes { lv { segment1 { start_extent = 0 extent_count = 2 type = "${type}" ${stripes} } } }
}
`;
  const read = (text: string) => {
    using folder = written({ "lvm_vg_dev.list": "vg /dev/sda2 u\n", "lvm_vg.conf": text });
    return readPhysicalVolume(folder.path, "sda2");
  };
  expect(read(conf("striped", 'stripes = ["pv0", 0]'))).toMatchObject({ group: "vg" });
  expect(read(conf("striped", 'stripes = ["pv0", 0, "pv1", 0]'))).toContain("not linear");
  expect(read(conf("thin", 'pool = "p"'))).toContain("not linear");
  expect(read("other { }\n")).toBe("lvm_vg.conf does not tell of sda2");
  expect(read("nonsense {")).toBe("lvm_vg.conf does not tell of sda2");
  using fog = written({
    "d1p2.lvm": "LVMFORMAT 2\nPV u /dev/sda2 98304 98304\nVG vg id 8192\n",
    "d1p2.lvm.vgcfg": conf("striped", 'stripes = ["pv0", 0]'),
  });
  expect(readPhysicalVolume(fog.path, "d1p2")).toMatchObject({
    ...{ group: "vg", uuid: "u", parts: [{ device: "d1p2.lv", from: 0, to: MiB }] },
  });
  using none = written({ "lvm_vg_dev.list": "vg /dev/sda2 u\n" });
  expect(readPhysicalVolume(none.path, "sda2")).toBeNull();
  writeFileSync(join(none.path, "lvm_vg.conf"), conf("striped", 'stripes = ["pv0", 0]'));
  expect(readPhysicalVolume(none.path, "sda1")).toBeNull();
});

test("a damaged text of a group hurts its own partition only", () => {
  const volume = `{ segment1 { start_extent = 0 extent_count = 2 type = "striped" stripes = ["pv0", 0] } }`;
  using folder = written({
    "sda-pt.sf":
      "label: dos\n\n/dev/sda1 : start=64, size=98304, type=8e\n/dev/sda2 : start=99999, size=9\n",
    "lvm_vg_dev.list": "vg /dev/sda1 u\n",
    "lvm_vg.conf": `vg {
  extent_size = 8192
  physical_volumes { pv0 { id = "u" dev_size = 98304 pe_start = 2048 } }
  logical_volumes { a ${volume} b ${volume} }
}
`,
  });
  const [disk] = readDisks(folder.path, ["sda-pt.sf"]);
  if (!disk?.table) throw new Error("no table");
  const image = { format: null, deviceSize: 4608 };
  const whole = layOutDisk({
    ...{ folder: folder.path, ...disk, table: disk.table },
    find: (name) => (name === "sda1" ? null : { image, swap: null }),
  });
  expect(whole.parts.slice(1)).toMatchObject([
    { what: "sda1", filling: { problem: "sda1: vg-a and vg-b overlap" } },
    { what: "sda2", filling: { device: "sda2" } },
  ]);
});
