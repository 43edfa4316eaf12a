import { afterAll, describe, expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { flip } from "../../fixtures-gen/break.ts";
import { build } from "../../fixtures-gen/build.ts";
import { example, exampleNames, exampleParams } from "../../fixtures-gen/examples.ts";
import { loopDevice, must } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { type ProgramName, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());

const at = (name: string) => join(files.path, name);
const restore = (image: string, target: string, ...options: readonly string[]) =>
  runProgram("vpartclone", ["-q", image, "--restore", target, ...options], { cwd: files.path });

let count = 0;
const fresh = () => `restored-${count++}`;
const image = example("v2-crc32");

describe("--restore", () => {
  // Nobody can know what the last blocks of this one are (PC2-BIG-ENDIAN-TAIL).
  const readable = exampleNames.filter((name) => name !== "v2-big-endian-tail");
  test.each(readable)("%s becomes its partition", (name) => {
    const fixture = example(name);
    files.file("x.img", fixture.image);
    const target = fresh();
    const program: ProgramName = name.startsWith("ntfs") ? "vntfsclone" : "vpartclone";
    const ran = runProgram(program, ["x.img", "--restore", target, "-q"], { cwd: files.path });
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).toMatch(
      new RegExp(`^${target}: the \\S+ partition is restored \\(.* written\\)\n$`),
    );
    expect(readFileSync(at(target)).equals(fixture.partition)).toBe(true);
    expect(statSync(at(target)).mode & 0o777).toBe(0o600);
  });

  test("reads a pipe", () => {
    const target = fresh();
    const args = ["-", "--restore", target, "-q"];
    const ran = runProgram("vpartclone", args, { cwd: files.path, stdin: image.image });
    expect(ran.status).toBe(0);
    expect(readFileSync(at(target)).equals(image.partition)).toBe(true);
  });

  test("reads a compressed image", () => {
    writeFileSync(at("x.img.gz"), gzipSync(image.image));
    const target = fresh();
    expect(restore("x.img.gz", target).status).toBe(0);
    expect(readFileSync(at(target)).equals(image.partition)).toBe(true);
  });

  test("leaves holes where the image has none of the blocks", () => {
    const params = { ...exampleParams["v2-crc32"], runs: [1, 4000, 1] };
    const { image: sparse, partition } = build(params);
    files.file("sparse.img", sparse);
    const target = fresh();
    expect(restore("sparse.img", target).status).toBe(0);
    const { size, blocks } = statSync(at(target));
    expect(size).toBe(partition.length);
    expect(blocks * 512).toBeLessThan(partition.length / 4);
  });
});

describe("--restore refuses", () => {
  const said = (ran: { err: string }) => ran.err.trimEnd();

  test("a file that is there, and takes --force", () => {
    files.file("x.img", image.image);
    files.file("full", "something longer than nothing".repeat(10_000));
    const ran = restore("x.img", "full");
    expect(ran).toMatchObject({ status: 1, out: "" });
    expect(said(ran)).toBe(
      "vpartclone: full: is there already, with 290,000 bytes; --force writes over it",
    );
    expect(restore("x.img", "full", "--force").status).toBe(0);
    expect(readFileSync(at("full")).equals(image.partition)).toBe(true);
  });

  test("the image itself, by whatever name, even with --force", () => {
    files.file("x.img", image.image);
    symlinkSync("x.img", at("link"));
    for (const target of ["x.img", "link"]) {
      const ran = restore("x.img", target, "--force");
      expect(ran.status).toBe(1);
      expect(said(ran)).toBe(`vpartclone: ${target}: is the image itself; choose another file`);
    }
    expect(readFileSync(at("x.img")).equals(image.image)).toBe(true);
  });

  test("any piece of the image, even with --force", () => {
    const half = Math.ceil(image.image.length / 2);
    const pieces = { aa: image.image.subarray(0, half), ab: image.image.subarray(half) };
    for (const [suffix, bytes] of Object.entries(pieces)) files.file(`split.img.${suffix}`, bytes);
    const ran = restore("split.img", "split.img.ab", "--force");
    expect(said(ran)).toBe("vpartclone: split.img.ab: is the image itself; choose another file");
    expect(readFileSync(at("split.img.ab")).equals(pieces.ab)).toBe(true);
  });

  test("what is neither a file nor a device, and a place that is not there", () => {
    files.file("x.img", image.image);
    mkdirSync(at("directory"), { recursive: true });
    expect(said(restore("x.img", "directory"))).toBe(
      "vpartclone: directory: is neither a file nor a block device",
    );
    expect(said(restore("x.img", "nowhere/file"))).toBe(
      "vpartclone: nowhere/file: is in a directory that is not there",
    );
    expect(said(restore("x.img", fresh(), "--discard"))).toEndWith(
      "is a file, which --discard has no use for: its holes stay holes",
    );
  });

  test("to go on behind a bad checksum, and says what is written", () => {
    const strip = image.strips.at(-1);
    files.file("bad.img", flip(image, strip?.imageOffset ?? 0));
    const target = fresh();
    const ran = restore("bad.img", target);
    expect(ran).toMatchObject({ status: 1, out: "" });
    expect(said(ran)).toMatch(
      /^vpartclone: bad\.img: the checksum of strip \d+ .* differs; not restored: \S+ is incomplete, (the partition is written up to byte [\d,]+, nothing behind it|nothing of the partition is written)$/,
    );
    // Shorter than the partition, so that it cannot pass for one.
    expect(statSync(at(target)).size).toBeLessThan(image.partition.length);
  });
});

describe("--restore to a device", () => {
  const NEEDS = ["root", "/dev/loop-control", "losetup", "mkfs.ext4", "blkid"];
  const volume = (stack: DisposableStack, bytes: number) => {
    const path = at(`volume-${count++}`);
    writeFileSync(path, "");
    truncateSync(path, bytes);
    return { path, device: loopDevice(stack, path, "rw") };
  };

  testWith(NEEDS, "writes the partition and leaves what is behind it", () => {
    using stack = new DisposableStack();
    files.file("x.img", image.image);
    const { device, path } = volume(stack, 2 ** 20 + image.partition.length);
    expect(restore("x.img", device).status).toBe(0);
    const written = readFileSync(path).subarray(0, image.partition.length);
    expect(written.equals(image.partition)).toBe(true);
    expect(statSync(path).size).toBe(2 ** 20 + image.partition.length);
  });

  testWith(NEEDS, "refuses one that is too small", () => {
    using stack = new DisposableStack();
    files.file("x.img", image.image);
    const { device } = volume(stack, 4096);
    expect(restore("x.img", device, "--force").err).toBe(
      `vpartclone: ${device}: is too small: it has 4,096 bytes, the partition needs ${image.partition.length.toLocaleString("en")}\n`,
    );
  });

  testWith(NEEDS, "refuses one that holds a file system, unless forced; discards if asked", () => {
    using stack = new DisposableStack();
    files.file("x.img", image.image);
    const { device, path } = volume(stack, 2 ** 24);
    must(["mkfs.ext4", "-q", "-F", device]);
    expect(restore("x.img", device).err).toBe(
      `vpartclone: ${device}: holds ext4 already; --force writes over it\n`,
    );
    expect(restore("x.img", device, "--force", "--discard").status).toBe(0);
    const now = readFileSync(path);
    expect(now.subarray(0, image.partition.length).equals(image.partition)).toBe(true);
    expect(now.subarray(image.partition.length).every((byte) => byte === 0)).toBe(true);
  });

  testWith([...NEEDS, "kernel:ext4"], "refuses one that is mounted, even if forced", () => {
    using stack = new DisposableStack();
    files.file("x.img", image.image);
    const { device } = volume(stack, 2 ** 24);
    must(["mkfs.ext4", "-q", "-F", device]);
    const directory = at(`mnt-${count++}`);
    mkdirSync(directory);
    must(["mount", device, directory]);
    stack.defer(() => must(["umount", directory]));
    expect(restore("x.img", device, "--force").err).toBe(
      `vpartclone: ${device}: is in use: mounted, swapped to, or part of another device; end that first\n`,
    );
  });
});
