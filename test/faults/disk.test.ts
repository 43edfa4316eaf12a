import { describe, expect } from "bun:test";
import { readFileSync, renameSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { ROOT, run, until } from "../fuse/harness.ts";
import { byTitle, formsInOneFile, writeImage } from "../image-forms.ts";
import { testWith } from "../require.ts";
import {
  BLOCK,
  type Folder,
  fixture,
  folder,
  isRight,
  type MountedImage,
  mounted,
  NEEDS,
  readRange,
  TIMEOUT,
  vpartclone,
} from "./command.ts";
import { disk } from "./disk.ts";

const whole = fixture();
/** Blocks 0 to 299 are stored first: block 100 is at this byte of the image. */
const imageOffsetOf = (block: number) =>
  whole.stored.find((stored) => stored.block === block)?.imageOffset ?? 0;
const LAST = whole.blockCount - 1;
const linesOf = (log: string) => readFileSync(log, "utf8").trim().split("\n").filter(Boolean);
const read = (file: string, block: number, blocks = 1) =>
  readRange(file, block * BLOCK, blocks * BLOCK);

describe.each(byTitle(formsInOneFile))("%s images:", (_, form) => {
  const write = ({ path }: Folder, name: string, { image } = whole) =>
    writeImage(form, path, name, image);
  const onDisk = (made: Folder) => disk(write(made, "sound"), `sda1.img${form.endings[0]}`);
  /** What is compressed can be read behind what is indexed: its last byte when all is. */
  const allIndexed = async ({ file }: MountedImage) =>
    expect(isRight(read(file, LAST), whole, LAST * BLOCK)).toBe(true);

  testWith(
    NEEDS,
    "a disk that fails in one place: EIO there, one line in the log, all else is read",
    async () => {
      using made = folder();
      const log = join(made.path, "log");
      await using bad = await onDisk(made);
      await using mount = await mounted(bad.file, { args: ["--log", log] });
      await allIndexed(mount);
      await bad.turn("failing", imageOffsetOf(100), imageOffsetOf(100) + 1);
      for (let attempt = 0; attempt < 5; attempt++) expect(read(mount.file, 100)).toBe("EIO");
      // What is compressed is read from the beginning of its segment.
      const near = [read(mount.file, 99), read(mount.file, 101)];
      if (form.compress) expect(near).toEqual(["EIO", "EIO"]);
      else
        expect(near.map((bytes, index) => isRight(bytes, whole, (99 + 2 * index) * BLOCK))).toEqual(
          [true, true],
        );
      expect(isRight(read(mount.file, 900, 60), whole, 900 * BLOCK)).toBe(true);
      await until(() => linesOf(log).length > 0);
      expect(linesOf(log)).toEqual([expect.stringMatching(/input\/output error/)]);
      expect(linesOf(log)[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z vpartclone\[\d+\]: sda1: /);
      // A disk may come to itself; nothing is remembered against it.
      await bad.turn("well");
      expect(isRight(read(mount.file, 100), whole, 100 * BLOCK)).toBe(true);
      expect(mountAt(mount.directory)).not.toBeNull();
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "a disk that gives less than it was asked for: every byte is right all the same",
    async () => {
      using made = folder();
      await using slow = await onDisk(made);
      await slow.turn("short");
      await using mount = await mounted(slow.file, { args: ["--verify"] });
      const all = readRange(mount.file, 0, whole.partition.length);
      expect([all.length, isRight(all, whole, 0)]).toEqual([whole.partition.length, true]);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "a disk that fails from the first byte: one line, status 1, nothing mounted",
    async () => {
      using made = folder();
      await using bad = await onDisk(made);
      await bad.turn("failing");
      for (const words of [["-m", made.path], ["-v"], ["-c", "-q"]]) {
        const { status, err } = await vpartclone([bad.file, ...words]);
        expect(status).toBe(1);
        expect(err).toMatch(
          /^vpartclone: [^\n]*sda1.img[.\w]*: [^\n]*input\/output error[^\n]*\n$/i,
        );
      }
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "a disk that vanishes: EIO and one line; the mount is still there to be taken away",
    async () => {
      using made = folder();
      const log = join(made.path, "log");
      await using gone = await onDisk(made);
      await using mount = await mounted(gone.file, { args: ["--log", log] });
      await allIndexed(mount);
      await gone.vanish();
      for (let attempt = 0; attempt < 3; attempt++) expect(read(mount.file, 5)).toBe("EIO");
      await until(() => linesOf(log).length > 0);
      expect(linesOf(log).length).toBe(1);
      expect(run(ROOT, "stat", "-c", "%s", mount.file).out.toString()).toBe(
        `${whole.deviceSize}\n`,
      );
      expect(mount.unmount().code).toBe(0);
      await mount.ended();
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "an image that shrinks: EIO for what is gone, one line, the rest is read",
    async () => {
      using made = folder();
      const log = join(made.path, "log");
      const image = write(made, "sda1");
      await using mount = await mounted(image, { args: ["--log", log] });
      await allIndexed(mount);
      truncateSync(image, imageOffsetOf(200));
      for (let attempt = 0; attempt < 3; attempt++) expect(read(mount.file, 250)).toBe("EIO");
      if (form.compress) expect(read(mount.file, 0)).toBe("EIO");
      else expect(isRight(read(mount.file, 0, 128), whole, 0)).toBe(true);
      expect(isRight(read(mount.file, 310), whole, 310 * BLOCK)).toBe(true);
      await until(() => linesOf(log).length > 0);
      expect(linesOf(log)).toEqual([expect.stringContaining("it is truncated")]);
      expect(mount.unmount().code).toBe(0);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "an image that is replaced by another of its name: the old one is read to the end",
    async () => {
      using made = folder();
      const image = write(made, "sda1");
      await using mount = await mounted(image);
      renameSync(write(made, "new", fixture({ seed: 6, runs: [10, 1000] })), image);
      const all = readRange(mount.file, 0, whole.partition.length);
      expect([all.length, isRight(all, whole, 0)]).toEqual([whole.partition.length, true]);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "an image that is written over, also by a shorter one: EIO and one line, never bytes of two",
    async () => {
      using made = folder();
      const log = join(made.path, "log");
      const image = write(made, "sda1");
      await using mount = await mounted(image, { args: ["--log", log] });
      await allIndexed(mount);
      for (const runs of [
        [1000, 24],
        [500, 24],
      ]) {
        write(made, "sda1", fixture({ seed: 6, runs }));
        // It is looked at ten times a second.
        await Bun.sleep(150);
        for (let attempt = 0; attempt < 3; attempt++) expect(read(mount.file, 5)).toBe("EIO");
      }
      await until(() => linesOf(log).length > 0);
      expect(linesOf(log)).toEqual([expect.stringContaining("mount it again")]);
      expect(mount.unmount().code).toBe(0);
    },
    TIMEOUT,
  );
});
