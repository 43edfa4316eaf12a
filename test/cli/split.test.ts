import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ExampleName, example } from "../../fixtures-gen/examples.ts";
import { openImage } from "../../src/index.ts";
import { mountDirectory, mountNeeds, ROOT, run } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { linesOf, type ProgramName, runCommand, runProgram, scratch, scriptOf } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const TIMEOUT = 30_000;

const images: readonly (readonly [ExampleName, ProgramName])[] = [
  ["v1-ntfs-tail", "vpartclone"],
  ["v2-xxh128", "vpartclone"],
  ["ntfs-10.1", "vntfsclone"],
  ["ntfs-metadata", "vntfsclone"],
];

/** Writes the bytes in pieces of this size; returns the first one's path. */
function split(name: string, bytes: Uint8Array, size: number): string {
  const folder = join(files.path, name);
  mkdirSync(folder);
  for (let at = 0; at < bytes.length; at += size) {
    const suffix = String(at / size).padStart(3, "0");
    writeFileSync(join(folder, `sda1.img.${suffix}`), bytes.subarray(at, at + size));
  }
  return join(folder, "sda1.img.000");
}

const pieceSize = (image: Uint8Array) => Math.ceil(image.length / 7) + 1;

for (const [name, program] of images) {
  describe(`${name} in pieces`, () => {
    const { image, partition } = example(name);
    const first = split(name, image, pieceSize(image));
    const whole = files.file(`${name}.img`, image);

    testWith(
      mountNeeds(ROOT),
      "-m shows the partition",
      () => {
        using point = mountDirectory(ROOT);
        const { status, out, err } = runProgram(program, [first, "-m", point.path]);
        expect({ status, err }).toMatchObject({ status: 0 });
        const file = join(point.path, "sda1");
        expect(out).toStartWith(`${file}: the `);
        expect(Buffer.compare(readFileSync(file), partition)).toBe(0);
        expect(run(ROOT, "umount", point.path).code).toBe(0);
      },
      TIMEOUT,
    );

    test.each(["-cq", "-v", "--json"])("%s says the same as of the whole", (option) => {
      const ofPieces = runProgram(program, [first, option]);
      const ofWhole = runProgram(program, [whole, option]);
      const named = (text: string) => text.replaceAll(first, "IMAGE").replaceAll(whole, "IMAGE");
      expect(named(ofPieces.out)).toBe(named(ofWhole.out));
      expect(ofPieces.status).toBe(ofWhole.status);
    });

    test("vconform judges the same", () => {
      const conform = (path: string) =>
        runCommand([process.execPath, scriptOf("vconform"), "--tap", path]).out.replaceAll(
          path,
          "",
        );
      expect(conform(first)).toBe(conform(whole));
    });

    test("the library reads it", async () => {
      await using opened = await openImage(first);
      let last = -1;
      await opened.blockReader({
        onBlock(deviceOffset, block) {
          expect(deviceOffset).toBeGreaterThan(last);
          last = deviceOffset;
          const same = partition.subarray(deviceOffset, deviceOffset + block.length);
          expect(Buffer.compare(block, same)).toBe(0);
        },
      });
      expect(last).toBeGreaterThan(0);
    });
  });
}

describe("a piece that is missing is named", () => {
  const { image } = example("v2-xxh64");

  test("in the middle: nothing is read", () => {
    const first = split("gap", image, pieceSize(image));
    rmSync(first.replace("000", "003"));
    const { status, out, err } = runProgram("vpartclone", ["-c", first]);
    expect({ status, out }).toEqual({ status: 1, out: "" });
    expect(linesOf(err)).toEqual([
      `vpartclone: ${first.replace(".000", "")}: the piece sda1.img.003 is missing, though sda1.img.004 is there`,
    ]);
  });

  test("at the end: the image is truncated", () => {
    const first = split("end", image, pieceSize(image));
    rmSync(first.replace("000", "006"));
    const { status, err } = runProgram("vpartclone", ["-cq", first]);
    expect(status).toBe(1);
    expect(err).toContain("the image is truncated");
    expect(err).toContain("; the piece sda1.img.006 is missing (PC2-DATA-COMPLETE)");
  });

  test("of a compressed image too", () => {
    const compressed = Bun.zstdCompressSync(image);
    const first = split("compressed", compressed, pieceSize(compressed));
    expect(runProgram("vpartclone", ["-cq", first]).status).toBe(0);
    rmSync(first.replace("000", "006"));
    const { status, err } = runProgram("vpartclone", ["-cq", first]);
    expect(status).toBe(1);
    expect(linesOf(err).at(-1)).toContain("the file ends early; the piece sda1.img.006 is missing");
  });
});
