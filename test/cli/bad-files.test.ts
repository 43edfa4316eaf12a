import { afterAll, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { countPresent } from "../../fixtures-gen/bitmap.ts";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { example } from "../../fixtures-gen/examples.ts";
import { encodeV2 } from "../../fixtures-gen/partclone-v2.ts";
import { mountDirectory, mountNeeds, programCommand, ROOT, USER } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { linesOf, programs, runCommand, runProgram, scratch, scriptOf } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const cwd = files.path;
mkdirSync(join(cwd, "mnt"));
mkdirSync(join(cwd, "directory"));
symlinkSync("loop", join(cwd, "loop"));
const broken = (rule: string) => brokenImage(rule)?.image ?? new Uint8Array();

/** Files that no command can do anything with, and what each says of them. */
const hopeless: readonly (readonly [
  name: string,
  bytes: Uint8Array | string | null,
  why: string,
])[] = [
  ["missing", null, "no such file"],
  ["missing/x.img", null, "no such file"],
  ["text/x.img", null, "a part of the path is not a directory"],
  ["loop", null, "too many symbolic links"],
  ["directory", null, "is a directory, not an image file; vclonezilla opens folders of images"],
  ["empty", "", "is not a partclone or ntfsclone image: it is empty"],
  ["text", "Hello!\n", "is not a partclone or ntfsclone image: it begins as neither"],
  ["zeros", new Uint8Array(5000), "is not a partclone or ntfsclone image: it begins as neither"],
  ["magic", broken("PC2-MAGIC"), "is not a partclone or ntfsclone image: it begins as neither"],
  [
    "version",
    broken("PC2-VERSION"),
    'a partclone image of version "0003"; versions 0001 and 0002 can be read (PC2-VERSION)',
  ],
  [
    "cut-v1",
    broken("PC1-HEADER-COMPLETE"),
    "the image ends after 4000 bytes, within its header of 4160 (PC1-HEADER-COMPLETE)",
  ],
  [
    "cut-v2",
    broken("PC2-HEADER-COMPLETE"),
    "the image ends after 100 bytes, within its header of 110 (PC2-HEADER-COMPLETE)",
  ],
  [
    "cut-ntfs",
    broken("NTC-HEADER-COMPLETE"),
    "the image ends after 40 bytes, within its header (NTC-HEADER-COMPLETE)",
  ],
  [
    "only-magic",
    "partclone-image",
    "the image ends after 15 bytes, within its header of 110 (PC2-HEADER-COMPLETE)",
  ],
];
for (const [name, bytes] of hopeless) if (bytes !== null) files.file(name, bytes);

/** Images that are known, and cannot be read all the same: -v shows what there is. */
const refused: readonly (readonly [rule: string, why: string])[] = [
  [
    "PC2-HEADER-CRC",
    "the header's checksum is 0x8bab504e, but 0x8bab504f is stored: the header is damaged",
  ],
  [
    "PC2-BITMAP-CRC",
    "the bitmap's checksum is 0x69ce0bd5, but 0x69ce0bd4 is stored: its blocks cannot be placed",
  ],
  [
    "PC2-BITMAP-COMPLETE",
    "the image ends within its bitmap: nobody can know which blocks it holds",
  ],
  ["PC1-BITMAGIC", "the byte map does not end in BiTmAgIc"],
  [
    "PC2-BIG-ENDIAN-TAIL",
    "a big-endian writer cut off the bitmap's last word, so nobody can know which of the blocks 64 to 76 are stored",
  ],
  ["NTC-MAJOR", "an ntfsclone image of version 11.1; versions up to 10 can be read"],
];

const commands = [
  ["-v"],
  ["--json"],
  ["-c"],
  ["-c", "-q", "-v"],
  ["-m", "mnt"],
  ["-d", "-m", "mnt"],
];

for (const program of programs) {
  describe(program, () => {
    // Each file meets one command, and each command some files: all of both would say no more.
    const rows = hopeless.map(
      (row, index) => [...row, commands[index % commands.length] ?? []] as const,
    );
    test.each(rows)("%s", (name, _bytes, why, args) => {
      const err = `${program}: ${name}: ${why}\n`;
      expect(runProgram(program, [...args, name], { cwd })).toEqual({ status: 1, out: "", err });
    });

    test.each(refused)("an image that breaks %s is described, not read", (rule, why) => {
      const name = files.file(`${rule}.img`, broken(rule));
      const described = runProgram(program, ["-v", name], { cwd });
      expect(described.status).toBe(1);
      expect(described.out).toMatch(/^(Partclone|Ntfsclone) Header\n/);
      expect(described.err).toBe(`${program}: ${name}: ${why} (${rule})\n`);
      const mounted = runProgram(program, [name, "-m", "mnt"], { cwd });
      expect(mounted).toEqual({ status: 1, out: "", err: described.err });
    });
  });
}

test("all commands refuse a directory in the same words", () => {
  for (const args of commands) {
    const err =
      "vpartclone: directory: is a directory, not an image file; vclonezilla opens folders of images\n";
    const ran = runProgram("vpartclone", [...args, "directory"], { cwd });
    expect(ran).toEqual({ status: 1, out: "", err });
  }
});

testWith(["root", "setpriv"], "an unreadable image: whom to ask", () => {
  const image = files.file("secret.img", example("v2-crc32").image);
  chmodSync(cwd, 0o755);
  chmodSync(image, 0o600);
  const command = programCommand(USER, scriptOf("vpartclone"), scriptOf("worker"));
  for (const args of [["-v"], ["-c"]]) {
    expect(runCommand([...USER.prefix, ...command, ...args, image])).toEqual({
      status: 1,
      out: "",
      err: `vpartclone: ${image}: permission denied; read it as its owner or as root\n`,
    });
  }
});

/** An image of which nothing is missing but its end, inside another image's partition. */
function cutAround(inner: Uint8Array): Uint8Array {
  const blockSize = 512;
  const present = new Uint8Array(Math.ceil(inner.length / blockSize)).fill(1);
  const partition = new Uint8Array(present.length * blockSize);
  partition.set(inner);
  const used = countPresent(present);
  const { image } = encodeV2({
    ...{ toolVersion: "0.3.23", fsType: "raw", byteOrder: "little", cpuBits: 64, blockSize },
    ...{ deviceSize: inner.length, usedSuperblock: used, usedBitmap: used },
    ...{ checksumMode: "none", blocksPerChecksum: 0, reseed: true },
    ...{ bitmapMode: "none", bitmap: new Uint8Array(), present, partition },
  });
  return image.subarray(0, -8192);
}

testWith(mountNeeds(ROOT), "a bad sector below the image is one line", () => {
  using point = mountDirectory(ROOT);
  const outer = files.file("disk.img", cutAround(example("v2-crc32").image));
  expect(runProgram("vpartclone", [outer, "-m", point.path]).status).toBe(0);
  const image = join(point.path, "disk");
  const { status, out, err } = runProgram("vpartclone", ["-c", "-q", image]);
  expect({ status, out }).toEqual({ status: 1, out: "" });
  expect(linesOf(err)).toEqual([
    expect.stringMatching(
      new RegExp(
        `^vpartclone: ${image}: byte \\d+ of the image cannot be read: input/output error`,
      ),
    ),
  ]);
});
