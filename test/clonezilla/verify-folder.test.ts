import { expect } from "bun:test";
import { readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { example } from "../../fixtures-gen/examples.ts";
import { linesOf, runCommand, type Scratch, scriptOf } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { pieces, written } from "./written.ts";

const v1 = example("v1-ntfs-tail");
const v2 = example("v2-xxh128");
const ntfs = example("ntfs-10.1");
const NEEDS = ["md5sum", "sha1sum", "b2sum", "b3sum"];
const LISTS = "MD5SUMS, SHA1SUMS, B2SUMS, B3SUMS";

function savedFolder(): Scratch {
  const folder = written({
    ...pieces("sda1.ext4-ptcl-img.zst.", zstdCompressSync(v2.image), ["aa", "ab", "ac"]),
    "sda2.ntfs-ptcl-img.uncomp": v1.image,
    "sda3.ntfs-img": gzipSync(ntfs.image),
    "sda4.dd-ptcl-img.gz": gzipSync(Buffer.alloc(70_000, "raw")),
    parts: "sda1 sda2 sda3 sda4\n",
  });
  // All lists at once, so that none is in another.
  const commands =
    "md5sum $n > MD5SUMS; sha1sum $n > SHA1SUMS; b2sum $n > B2SUMS; b3sum $n > B3SUMS";
  runCommand(["sh", "-c", `n=$(ls); ${commands}`], { cwd: folder.path });
  return folder;
}

function verify(folder: Scratch, ...options: string[]) {
  const { status, out, err } = runCommand([
    ...[process.execPath, scriptOf("vclonezilla"), folder.path, "--verify-folder", ...options],
  ]);
  return { status, lines: linesOf(out), errors: linesOf(err) };
}

/** Changes one byte. */
function damage(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 0x10, at);
  writeFileSync(path, bytes);
}

testWith(NEEDS, "a sound folder: a line for each image, and for each listed file", () => {
  using folder = savedFolder();
  const { status, lines, errors } = verify(folder, "-q");
  expect(errors).toEqual([]);
  expect(lines).toEqual([
    expect.stringMatching(/^sda1.ext4-ptcl-img.zst.aa: sound: .* proved by an XXH128/),
    `sda1.ext4-ptcl-img.zst.aa: as in ${LISTS}`,
    `sda1.ext4-ptcl-img.zst.ab: as in ${LISTS}`,
    `sda1.ext4-ptcl-img.zst.ac: as in ${LISTS}`,
    expect.stringMatching(/^sda2.ntfs-ptcl-img.uncomp: sound: /),
    `sda2.ntfs-ptcl-img.uncomp: as in ${LISTS}`,
    expect.stringMatching(/^sda3.ntfs-img: sound /),
    `sda3.ntfs-img: as in ${LISTS}`,
    "sda4.dd-ptcl-img.gz: can be read to its end; it has no checksums of its own",
    `sda4.dd-ptcl-img.gz: as in ${LISTS}`,
    `parts: as in ${LISTS}`,
    `${folder.path}: sound: 4 images, 7 listed files`,
  ]);
  expect(status).toBe(0);
  // Without -q progress is told.
  expect(verify(folder).errors).toContainEqual(expect.stringMatching(/: 100 % of \d/));
  // Without lists the images' own checksums are proved.
  for (const list of LISTS.split(", ")) rmSync(join(folder.path, list));
  const bare = verify(folder, "--quiet");
  expect(bare).toMatchObject({ status: 0, errors: [] });
  expect(bare.lines.at(-1)).toBe(`${folder.path}: sound: 4 images, 0 listed files`);
});

testWith(NEEDS, "what is damaged, cut, missing or not listed is named; the status is 1", () => {
  using folder = savedFolder();
  const file = (name: string) => join(folder.path, name);
  damage(file("sda1.ext4-ptcl-img.zst.ab"), 100);
  damage(file("sda2.ntfs-ptcl-img.uncomp"), v1.image.length - 1);
  truncateSync(file("sda3.ntfs-img"), 1000);
  damage(file("parts"), 2);
  writeFileSync(file("new"), "");
  const sha1 = readFileSync(file("SHA1SUMS"), "utf8");
  writeFileSync(file("SHA1SUMS"), sha1.replace(/^.{40}(?=.*zst.aa$)/m, "0".repeat(40)));
  writeFileSync(file("MD5SUMS"), `${readFileSync(file("MD5SUMS"))}${"0".repeat(32)}  gone\n`);
  const { status, lines, errors } = verify(folder, "-q");
  expect(status).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/^sda1.ext4-ptcl-img.zst.aa: NOT SOUND: /),
    expect.stringMatching(/^sda1.ext4-ptcl-img.zst.aa: NOT as in SHA1SUMS$/),
    `sda1.ext4-ptcl-img.zst.ab: NOT as in ${LISTS}`,
    `sda1.ext4-ptcl-img.zst.ac: as in ${LISTS}`,
    expect.stringMatching(/^sda2.ntfs-ptcl-img.uncomp: NOT SOUND: /),
    `sda2.ntfs-ptcl-img.uncomp: NOT as in ${LISTS}`,
    expect.stringMatching(/^sda3.ntfs-img: NOT SOUND/),
    `sda3.ntfs-img: NOT as in ${LISTS}`,
    expect.stringContaining("sda4.dd-ptcl-img.gz: can be read"),
    `sda4.dd-ptcl-img.gz: as in ${LISTS}`,
    `parts: NOT as in ${LISTS}`,
    "gone: NOT THERE, but listed",
    "new: there, but not listed",
    `${folder.path}: NOT SOUND: 4 images, 8 listed files`,
  ]);
  expect(errors.length).toBeGreaterThanOrEqual(3);
});

testWith(NEEDS, "without lists too, damage is found by the images' own checksums", () => {
  using folder = savedFolder();
  const file = (name: string) => join(folder.path, name);
  for (const list of LISTS.split(", ")) rmSync(file(list));
  damage(file("sda2.ntfs-ptcl-img.uncomp"), v1.image.length - 1);
  rmSync(file("sda1.ext4-ptcl-img.zst.ab"));
  const { status, lines, errors } = verify(folder, "-q");
  expect(status).toBe(1);
  expect(lines).toEqual([
    "sda1.ext4-ptcl-img.zst.aa: NOT SOUND: it does not open",
    expect.stringMatching(/^sda2.ntfs-ptcl-img.uncomp: NOT SOUND: /),
    expect.stringMatching(/^sda3.ntfs-img: sound/),
    expect.stringMatching(/^sda4/),
    `${folder.path}: NOT SOUND: 4 images, 0 listed files`,
  ]);
  expect(errors.join("\n")).toContain("the piece sda1.ext4-ptcl-img.zst.ab is missing");
});

testWith([], "an image that was saved but is gone makes a folder unsound", () => {
  using folder = written({ "sda1.ext4-ptcl-img.uncomp": v2.image, parts: "sda1 sda2\n" });
  expect(verify(folder, "-q")).toMatchObject({
    status: 1,
    errors: [expect.stringContaining("the image of sda2 is missing")],
  });
});

testWith([], "a dd image that is shorter than its partition is not sound", () => {
  const images = { whole: Buffer.alloc(40 * 512, "raw"), short: Buffer.alloc(39 * 512, "raw") };
  using folder = written({
    "sda-pt.sf":
      "label: dos\n\n/dev/sda1 : start=64, size=40, type=83\n/dev/sda2 : start=104, size=40, type=83\n",
    "sda1.dd-ptcl-img.gz": gzipSync(images.whole),
    "sda2.dd-ptcl-img.gz": gzipSync(images.short),
  });
  const { status, lines } = verify(folder, "-q");
  expect({ status, lines }).toEqual({
    status: 1,
    lines: [
      expect.stringMatching(/^sda1.* can be read to its end/),
      "sda2.dd-ptcl-img.gz: NOT SOUND: it has 19.5 KiB (19,968 bytes), its partition 20.0 KiB (20,480 bytes)",
      `${folder.path}: NOT SOUND: 2 images, 0 listed files`,
    ],
  });
  // More is not saved of a BSD slice.
  writeFileSync(join(folder.path, "sda2.dd-img.info"), "partition=BSD_slice\n");
  expect(verify(folder, "-q").status).toBe(0);
});

testWith([], "an encrypted folder, one without images, options that exclude each other", () => {
  using gocryptfs = written({ "gocryptfs.conf": "{}" });
  expect(verify(gocryptfs).errors).toEqual([
    expect.stringContaining("is encrypted with gocryptfs"),
  ]);
  using empty = written({});
  expect(verify(empty)).toMatchObject({
    status: 1,
    errors: [`vclonezilla: ${empty.path}: there is no image in it`],
  });
  expect(verify(empty, "--json").status).toBe(2);
  expect(verify(empty, "-m", empty.path).status).toBe(2);
});
