import { expect } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { example } from "../../fixtures-gen/examples.ts";
import { linesOf, runCommand, scratch, scriptOf } from "../cli/program.ts";
import { mountDirectory, mountNeeds, ROOT } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { mountFolder } from "./mounted.ts";
import { pieces, written } from "./written.ts";

const TIMEOUT = 30_000;
const v1 = example("v1-ntfs-tail");
const v2 = example("v2-xxh128");
const ntfs = example("ntfs-10.1");
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

testWith(mountNeeds(ROOT), "a folder without images is not mounted, and the reason told", () => {
  using folder = written({ "notes.txt": "nothing" });
  using point = mountDirectory(ROOT);
  const cmd = [process.execPath, scriptOf("vclonezilla"), folder.path, "-m", point.path];
  expect(runCommand(cmd)).toMatchObject({
    status: 1,
    err: `vclonezilla: ${folder.path}: there is no image in it\n`,
  });
});
