import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { example } from "../../fixtures-gen/examples.ts";
import { ENTRIES } from "../../scripts/build.ts";
import { pieces } from "../clonezilla/written.ts";
import { testWith } from "../require.ts";
import { imageOfZeros } from "../zeros.ts";
import { must, newRoot } from "./root.ts";

/** The compressors whose images are mounted. */
const COMPRESSORS = {
  gzip: "gz",
  zstd: "zst",
  xz: "xz",
  bzip2: "bz2",
  lz4: "lz4",
  lzip: "lz",
  lzop: "lzo",
};
const NEEDS = [
  ...["root", "/dev/fuse", "chroot", "unshare", "ldd", "cmp"],
  ...Object.keys(COMPRESSORS),
];
const REPOSITORY = resolve(import.meta.dirname, "../..");
/** The shell, what these tests do in it, and what the guard of a mount needs. */
const COMMANDS = ["sh", "cat", "cmp", "umount", "sleep", "ls"];
const BUILD_TIMEOUT = 120_000;
/** Each command starts the runtime anew. */
setDefaultTimeout(60_000);

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
  const [built = ""] = must([process.execPath, join(REPOSITORY, "scripts/build.ts")])
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
  for (const directory of ["proc", "dev", "tmp", "mnt", "sys", "run"])
    mkdirSync(join(root, directory), { recursive: true });
  for (const name of ["v2-crc32", "v1-plain", "ntfs-10.1"] as const) {
    const { image, partition } = example(name);
    writeFileSync(join(root, `${name}.img`), image);
    writeFileSync(join(root, `${name}.raw`), partition);
  }
  for (const [compressor, ending] of Object.entries(COMPRESSORS)) {
    const { stdout } = Bun.spawnSync([compressor, "-c"], { stdin: example("v2-crc32").image });
    writeFileSync(join(root, `v2-crc32.img.${ending}`), stdout);
  }
  cpSync(join(REPOSITORY, "test/golden/ext4-v2-xxh128-k8.img"), join(root, "ext4.img"));
  imageOfZeros(join(root, "zeros.img"), 512 * 2 ** 20, "crc32");
  mkdirSync(join(root, "folder"));
  const folder = {
    ...pieces("sda1.ext4-ptcl-img.gz.", readFileSync(join(root, "v2-crc32.img.gz")), ["aa", "ab"]),
    "sda2.ext4-ptcl-img.zst": readFileSync(join(root, "v2-crc32.img.zst")),
    "sda3.ntfs-img": example("ntfs-10.1").image,
  };
  for (const [name, bytes] of Object.entries(folder)) {
    writeFileSync(join(root, "folder", name), bytes);
  }
}

test("every thread that the program starts is in the executable", () => {
  const files = readdirSync(join(REPOSITORY, "src"), { recursive: true, encoding: "utf8" });
  const started = files
    .filter((name) => name.endsWith(".ts"))
    .flatMap((name) => {
      const text = readFileSync(join(REPOSITORY, "src", name), "utf8");
      const threads = [...text.matchAll(/new Worker\(\s*new URL\("([^"]+)"/g)];
      expect(threads).toHaveLength(text.split("new Worker(").length - 1);
      return threads.map(([, path = ""]) => join("src", relative(".", join(dirname(name), path))));
    });
  expect(["src/cli/main.ts", ...started].toSorted()).toEqual(ENTRIES.toSorted());
});

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

  testWith(NEEDS, "runs and reads nothing of the folder that it is started in", () => {
    writeFileSync(join(root, "folder/bunfig.toml"), 'preload = ["./stranger.ts"]\n');
    writeFileSync(join(root, "folder/stranger.ts"), 'console.log("a stranger\'s code");\n');
    writeFileSync(join(root, "folder/.env"), `VPARTCLONE_MOUNTER='{"name":"detach"}'\n`);
    const ran = stage.run("cd folder; vpartclone --version");
    expect(ran).toEqual({ status: 0, out: "vpartclone 0.1.0\n", err: "" });
  });

  testWith(NEEDS, "mounts images compressed in each way, and a folder of them", () => {
    const script = [
      ...Object.values(COMPRESSORS).map(
        (ending) =>
          `vpartclone v2-crc32.img.${ending} -m /mnt >/tmp/out; cmp /mnt/v2-crc32 v2-crc32.raw; umount /mnt`,
      ),
      "vpartclone vclonezilla folder -m /mnt >/tmp/out",
      "cmp /mnt/sda1 v2-crc32.raw; cmp /mnt/sda2 v2-crc32.raw; cmp /mnt/sda3 ntfs-10.1.raw",
      "umount /mnt; cat /tmp/out",
    ].join("\n");
    const ran = stage.run(script);
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).toContain("/mnt/sda3: the NTFS partition");
  });

  testWith([...NEEDS, "/dev/loop-control", "kernel:ext4"], "shows files", () => {
    const ran = stage.run("vpartclone ext4.img -m /mnt --files; ls /mnt; umount /mnt");
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out).toContain("lost+found");
  });

  testWith(NEEDS, "checks, describes and restores, compressed images too", () => {
    const script = [
      "vpartclone -cq v2-crc32.img.gz",
      "vpartclone -cq v2-crc32.img.xz",
      // Of this size, by several threads.
      "vpartclone -cq zeros.img",
      "vntfsclone --json -v ntfs-10.1.img",
      "vpartclone -q v1-plain.img --restore /tmp/v1.raw",
      "cmp /tmp/v1.raw v1-plain.raw",
    ].join("\n");
    const ran = stage.run(script);
    expect(ran).toMatchObject({ status: 0, err: "" });
    expect(ran.out.match(/: sound/g)).toHaveLength(3);
  });

  testWith(NEEDS, "judges images by the rules, which it holds", () => {
    const ran = stage.run(
      "vpartclone vconform v2-crc32.img; vpartclone vconform explain PC2-CHECKSUM",
    );
    expect(ran.status).toBe(0);
    expect(ran.out).toContain("PC2-CHECKSUM");
  });
});
