import { afterAll, beforeAll, describe, expect } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { example } from "../../fixtures-gen/examples.ts";
import { testWith } from "../require.ts";
import { must, newRoot } from "./root.ts";

const NEEDS = ["root", "/dev/fuse", "chroot", "unshare", "ldd", "cmp", "gzip", "xz"];
/** The shell, what these tests do in it, and what the guard of a mount needs. */
const COMMANDS = ["sh", "cat", "cmp", "umount", "sleep", "ls"];
const BUILD_TIMEOUT = 120_000;

const stage = newRoot();
const root = stage.path;
afterAll(() => stage[Symbol.dispose]());

/** A file of this machine at the same place in the root, with the libraries it loads. */
function install(path: string): void {
  const libraries = must(["ldd", path]).match(/\/\S+(?= \(0x)/g) ?? [];
  for (const file of [path, ...libraries]) {
    const target = join(root, file);
    if (existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    cpSync(file, target, { dereference: true });
  }
}

/** A root directory without Bun, Node and this repository. */
function makeRoot(): void {
  for (const command of COMMANDS) install(Bun.which(command) ?? command);
  if (!existsSync(join(root, "bin"))) symlinkSync("usr/bin", join(root, "bin"));
  const [built = ""] = must([
    process.execPath,
    resolve(import.meta.dirname, "../../scripts/build.ts"),
  ])
    .trim()
    .split("\n");
  const program = join(root, "usr/bin/vpartclone");
  mkdirSync(dirname(program), { recursive: true });
  cpSync(built, program);
  chmodSync(program, 0o755);
  must(["ldd", program])
    .match(/\/\S+(?= \(0x)/g)
    ?.forEach((library) => {
      if (!existsSync(join(root, library)))
        cpSync(library, join(root, library), { dereference: true, recursive: true });
    });
  symlinkSync("vpartclone", join(root, "usr/bin/vntfsclone"));
  for (const directory of ["proc", "dev", "tmp", "mnt", "sys"])
    mkdirSync(join(root, directory), { recursive: true });
  for (const name of ["v2-crc32", "v1-plain", "ntfs-10.1"] as const) {
    const { image, partition } = example(name);
    writeFileSync(join(root, `${name}.img`), image);
    writeFileSync(join(root, `${name}.raw`), partition);
  }
  for (const compress of ["gzip", "xz"]) must([compress, "-k", join(root, "v2-crc32.img")]);
}

describe("the executable, in a root without Bun", () => {
  beforeAll(makeRoot, BUILD_TIMEOUT);

  testWith(NEEDS, "mounts images of both formats, by its names", () => {
    const mounted = (command: string, name: string) =>
      `${command} ${name}.img -m /mnt >/tmp/out; cmp /mnt/${name} ${name}.raw; umount /mnt`;
    const script = [
      mounted("vpartclone", "v2-crc32"),
      mounted("vpartclone vpartclone", "v1-plain"),
      mounted("vntfsclone", "ntfs-10.1"),
      "cat /tmp/out",
    ].join("\n");
    const ran = stage.run(script);
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).toContain("/mnt/ntfs-10.1: the NTFS partition");
  });

  testWith(NEEDS, "checks, describes and restores, compressed images too", () => {
    const script = [
      "vpartclone -cq v2-crc32.img.gz",
      "vpartclone -cq v2-crc32.img.xz",
      "vntfsclone --json -v ntfs-10.1.img",
      "vpartclone -q v1-plain.img --restore /tmp/v1.raw",
      "cmp /tmp/v1.raw v1-plain.raw",
    ].join("\n");
    const ran = stage.run(script);
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out.match(/: sound/g)).toHaveLength(2);
  });

  testWith(NEEDS, "judges images by the rules, which it holds", () => {
    const ran = stage.run(
      "vpartclone vconform v2-crc32.img; vpartclone vconform explain PC2-CHECKSUM",
    );
    expect(ran.status).toBe(0);
    expect(ran.out).toContain("PC2-CHECKSUM");
  });
});
