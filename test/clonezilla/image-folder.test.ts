import { expect, test } from "bun:test";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { example } from "../../fixtures-gen/examples.ts";
import { readImageFolder } from "../../src/clonezilla/image-folder.ts";
import { linesOf, runCommand, scriptOf } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { pieces, written } from "./written.ts";

const v2 = example("v2-xxh128");
const ntfs = example("ntfs-10.1");
const vclonezilla = (...args: string[]) =>
  runCommand([process.execPath, scriptOf("vclonezilla"), ...args]);

test("images alone are found by their content, whatever their names are", async () => {
  using folder = written({
    "sda1.ext4-ptcl-img.uncomp": v2.image,
    ...pieces("sda2.ntfs-img.", gzipSync(ntfs.image), ["aa", "ab", "ac"]),
    "my backup.bin": zstdCompressSync(v2.image),
    "notes.txt": "nothing",
    "nothing.gz": gzipSync("nothing"),
  });
  const { partitions, disks, tool } = await readImageFolder(folder.path);
  expect({ disks, tool }).toEqual({ disks: [], tool: null });
  const seen = partitions.map(({ device, size, image }) => ({ device, size, ...image }));
  expect(seen).toMatchObject([
    { device: "my backup.bin", compression: "zstd", format: "partclone 0002", problem: null },
    { device: "sda1", compression: null, format: "partclone 0002", size: v2.partition.length },
    { device: "sda2", compression: "gzip", pieces: 3, format: "ntfsclone 10.1", fsType: "NTFS" },
  ]);
});

test("two images of one partition are two, the second by its whole name", async () => {
  using folder = written({
    "sda1.ext4-ptcl-img.gz": gzipSync(v2.image),
    "sda1.ext4-ptcl-img.zst": zstdCompressSync(v2.image),
  });
  const { partitions } = await readImageFolder(folder.path);
  expect(partitions.map(({ device, image }) => [device, image?.compression])).toEqual([
    ["sda1", "gzip"],
    ["sda1.ext4-ptcl-img.zst", "zstd"],
  ]);
});

test("FOG's folders: numbered names, pieces, the sfdisk dump, swap", async () => {
  const dump = `label: dos
label-id: 0x1234abcd
device: /dev/sda
unit: sectors
sector-size: 512

/dev/sda1 : start=        2048, size=        2048, type=83, bootable
/dev/sda2 : start=        4096, size=        2048, type=82
`;
  using folder = written({
    ...pieces("d1p1.img", zstdCompressSync(v2.image), ["", ".001", ".002"]),
    "d1.partitions": dump,
    "d1.mbr": new Uint8Array(512),
    "d1.size": "1:4194304\n",
    "d1.original.swapuuids": "2 f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5\n",
  });
  const { tool, disks, partitions } = await readImageFolder(folder.path);
  expect(tool).toBe("FOG");
  expect(disks).toMatchObject([{ device: "d1", size: 4194304, table: { label: "dos" } }]);
  expect(partitions).toMatchObject([
    { device: "d1p1", disk: "d1", start: 1048576, image: { pieces: 3, problem: null } },
    { device: "d1p2", swap: { uuid: "f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5" }, fsType: "swap" },
  ]);
  // As older versions call it.
  renameSync(join(folder.path, "d1.partitions"), join(folder.path, "d1.original.partitions"));
  expect(await readImageFolder(folder.path)).toMatchObject({ tool, disks, partitions });
});

test("FOG's volume groups: a list for each partition, an image for each logical volume", async () => {
  const uuid = "f4ff1d53-6bf5-4b47-ae8a-8a0b4d0ea2d5";
  using folder = written({
    "d1.partitions": "label: dos\n\n/dev/sda1 : start=64, size=9000, type=8e\n",
    "d1p1.lvm": `LVMFORMAT 2
PV 2aG4W2-gMg9-YP7F /dev/sda1 9000 9000
VG vg AAAAAA-AAAA 8192
LV root BBBBBB-BBBB 4096 4096 extfs d1p1.root.img -
LV swap-1 CCCCCC-CCCC 2048 2048 swap - ${uuid}
`,
    ...pieces("d1p1.root.img", zstdCompressSync(v2.image), ["", ".001"]),
  });
  const { disks, partitions } = await readImageFolder(folder.path);
  expect(partitions).toMatchObject([
    { device: "d1p1", disk: "d1", image: null, holds: "volume group vg", isMissing: false },
    { device: "d1p1.root", image: { pieces: 2, problem: null } },
    { device: "d1p1.swap-1", swap: { uuid, label: null }, fsType: "swap" },
  ]);
  expect(disks).toMatchObject([{ device: "d1", problem: null }]);
});

test("what the tool says it saved, but is not there, is missing", () => {
  using folder = written({
    "sda-pt.sf": `label: gpt

/dev/sda1 : start= 64, size= 900
/dev/sda2 : start= 1000, size= 10
/dev/sda3 : start= 2000, size= 10
`,
    "sda1.ext4-ptcl-img.uncomp": v2.image,
    "luks-dev.list": "/dev/sda3 1111 ocs_luks_x\n",
    parts: "sda1 sda2 sda3 cciss/c0d0p1 \x01\xff\n",
  });
  const { status, out, err } = vclonezilla(folder.path);
  expect(status).toBe(1);
  expect(out).toMatch(/^ {2}sda2 .* missing$/m);
  const missing = (device: string) =>
    `vclonezilla: ${folder.path}: the image of ${device} is missing: it was saved, says the file 'parts'`;
  expect(linesOf(err)).toEqual([missing("sda2"), missing("cciss-c0d0p1")]);
});

/** What FOG calls its formats; 1 is Partimage's. */
const FOG_FORMATS: readonly [number, (image: Uint8Array) => Uint8Array, readonly string[]][] = [
  [0, gzipSync, [""]],
  [2, gzipSync, ["", ".001", ".002"]],
  [3, (image) => image, [""]],
  [4, (image) => image, [".000", ".001"]],
  [5, zstdCompressSync, [""]],
  [5, zstdCompressSync, [".000"]],
  [6, zstdCompressSync, [".000", ".001", ".002"]],
];

test.each(FOG_FORMATS)("FOG's format %d opens", async (_, compress, suffixes) => {
  using folder = written(pieces("d1p1.img", compress(v2.image), suffixes));
  const { partitions } = await readImageFolder(folder.path);
  expect(partitions).toMatchObject([
    {
      device: "d1p1",
      size: v2.partition.length,
      image: { pieces: suffixes.length, format: "partclone 0002", problem: null },
    },
  ]);
});

test("Rescuezilla's folders: its name and version, the date, the images' names", async () => {
  using folder = written({
    "clonezilla-img":
      "This image was saved by Rescuezilla at 2026-11-23-0512\nSaved by Rescuezilla 2.6\nThe log during saving:\n",
    "sda1.ext4-ptcl-img.gz.aa": gzipSync(v2.image),
    "sda2.dd-ptcl-img.gz.aa": gzipSync(Buffer.alloc(4096)),
    "sda-pt.sf": "label: dos\n\n/dev/sda1 : start=64, size=900, type=83\n",
    parts: "sda1 sda2\n",
  });
  const found = await readImageFolder(folder.path);
  expect(found).toMatchObject({ tool: "Rescuezilla 2.6", date: "2026-11-23-0512" });
  expect(found.disks).toMatchObject([{ device: "sda", problem: null }]);
  expect(found.partitions).toMatchObject([
    { device: "sda1", disk: "sda", image: { problem: null } },
    { device: "sda2", disk: null, image: { format: "raw", compression: "gzip", problem: null } },
  ]);
});

test("a file system that takes a whole disk is no partition table", async () => {
  const sector = Buffer.alloc(512, 0x41);
  sector.writeUInt16LE(0xaa55, 510);
  using folder = written({
    "sda.ext4-ptcl-img.gz": gzipSync(v2.image),
    "sda-mbr": sector,
    "sdb-mbr": sector,
  });
  const { disks, partitions } = await readImageFolder(folder.path);
  expect(partitions).toMatchObject([{ device: "sda", image: { problem: null } }]);
  expect(disks).toMatchObject([
    { device: "sdb", layout: null, problem: "its partition table is not saved" },
  ]);
});

test("volumes of LVM, what is encrypted, what cannot be read are told by name", async () => {
  using folder = written({
    "vg-root.ext4-ptcl-img.gz": gzipSync(v2.image),
    "lvm_vg_dev.list": "vg /dev/sda2 2aG4W2-gMg9-YP7F\n",
    "lvm_logv.list": "/dev/vg/root  Linux rev 1.0 ext4\n/dev/vg/home  data\n",
    "luks-dev.list": "# <Block device> <UUID> <name>\n/dev/sda3 1111 ocs_luks_x\n",
    "sda5-luksHeader.bin": "LUKS\xba\xbe",
    "ocs_luks_x.ext4-ptcl-img.gz": gzipSync(v2.image),
    "sda1.dd-ptcl-img.uncomp": new Uint8Array(5000),
    "sda4.000": gzipSync("PaRtImAgE-VoLuMe and more"),
    "sda6.ext4-ptcl-img.lrz": "LRZI\0\x06 and more",
    "sda-pt.sf": `label: gpt
device: /dev/sda
unit: sectors

/dev/sda1 : start= 34, size= 10
/dev/sda2 : start= 50, size= 10
/dev/sda3 : start= 60, size= 10
/dev/sda4 : start= 70, size= 10
/dev/sda5 : start= 80, size= 10
`,
  });
  const { partitions } = await readImageFolder(folder.path);
  expect(partitions).toMatchObject([
    { device: "sda1", image: { format: "raw", deviceSize: 5000, problem: null } },
    { device: "sda2", image: null, holds: "volume group vg" },
    { device: "sda3", image: null, holds: "LUKS" },
    { device: "sda4", disk: "sda", image: { problem: expect.stringContaining("Partimage") } },
    { device: "sda5", image: null, holds: "LUKS" },
    { device: "ocs_luks_x", image: { format: "partclone 0002" } },
    { device: "sda6", image: { problem: expect.stringContaining("unpack it with lrzip -d") } },
    { device: "vg-home", image: null },
    { device: "vg-root", image: { format: "partclone 0002" } },
  ]);
});

test("an encrypted folder is named as such", () => {
  using go = written({ "gocryptfs.conf": "{}", kZ3Wk9: new Uint8Array(100) });
  const marked = Buffer.alloc(8192);
  marked.writeUInt32BE(0x01020304, 8);
  marked.writeUInt32BE((0x01020304 ^ 0x3c81b7f5) >>> 0, 12);
  using e = written({ "sda1.ext4-ptcl-img.zst": marked });
  for (const [folder, by] of [
    [go, "gocryptfs"],
    [e, "eCryptfs"],
  ] as const) {
    const { status, err } = vclonezilla(folder.path);
    expect({ status, err }).toEqual({
      status: 1,
      err: `vclonezilla: ${folder.path}: is encrypted with ${by}: mount that first, and give its mount point\n`,
    });
  }
});

test("the table has a line for each; one that does not open is explained, and the status is 1", () => {
  using folder = written({
    ...pieces("sda1.ext4-ptcl-img.zst.", zstdCompressSync(v2.image), ["aa", "ab", "ac"]),
    "sda2.ext4-ptcl-img.zst": zstdCompressSync(v2.image),
    "sda3.ext4-ptcl-img.gz": "no image",
  });
  const whole = vclonezilla(folder.path);
  expect(linesOf(whole.out)).toHaveLength(6);
  expect(whole.out).toContain("no whole disk: no partition table is saved");
  expect(whole.out).toMatch(/^sda1 .* partclone 0002 +zstd +3 .* opens$/m);
  // Nor is it known how it is compressed.
  expect(whole.out).toMatch(/^sda3 +ext4 +1 +8 bytes +does not open$/m);
  expect(whole.status).toBe(1);
  rmSync(join(folder.path, "sda3.ext4-ptcl-img.gz"));
  expect(vclonezilla(folder.path)).toMatchObject({ status: 0, err: "" });
  rmSync(join(folder.path, "sda1.ext4-ptcl-img.zst.ab"));
  const gap = vclonezilla(folder.path);
  expect(gap.status).toBe(1);
  expect(gap.err).toContain("the piece sda1.ext4-ptcl-img.zst.ab is missing");
  expect(JSON.parse(vclonezilla("--json", folder.path).out).partitions).toMatchObject([
    { device: "sda1", image: { pieces: 2 } },
    { device: "sda2", image: { pieces: 1, problem: null } },
  ]);
});

testWith(["mkfifo"], "what has the name of a metadata file but is none is not waited for", () => {
  const names = ["parts", "sda-pt.sf", "clonezilla-img", "luks-dev.list", "lvm_vg_dev.list"];
  using folder = written({ "sda1.ext4-ptcl-img.uncomp": v2.image });
  for (const name of names) runCommand(["mkfifo", join(folder.path, name)]);
  expect(vclonezilla(folder.path)).toMatchObject({ status: 0, err: "" });
});

test("no folder, and one without images", () => {
  using empty = written({});
  expect(vclonezilla(empty.path)).toMatchObject({
    status: 1,
    err: `vclonezilla: ${empty.path}: there is no image in it\n`,
  });
  const missing = join(empty.path, "missing");
  expect(vclonezilla(missing)).toMatchObject({
    status: 1,
    err: `vclonezilla: ${missing}: no such directory\n`,
  });
  expect(vclonezilla()).toMatchObject({ status: 2 });
});
