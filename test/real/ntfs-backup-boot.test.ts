import { afterAll, expect } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountInBackground } from "../cli/mounted.ts";
import { runProgram } from "../cli/program.ts";
import { mountDirectory, mountNeeds, ROOT } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { FILE_SYSTEMS } from "./file-systems.ts";
import { ntfsclone, partclone } from "./savers.ts";
import { must, run } from "./stage.ts";
import { makeVolume } from "./volume.ts";

/** What ntfsfix says of the backup boot sector, with and without --ntfs-backup-boot. */

const TIMEOUT = 60_000;
const scratch = mkdtempSync(join(tmpdir(), "vpartclone-backup-boot-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const ntfs = FILE_SYSTEMS.find(({ name }) => name === "NTFS");
const needs = [...mountNeeds(ROOT), "/dev/loop-control", ...(ntfs?.needs ?? []), "partclone.ntfs"];

function verdict(file: string): string {
  const { output } = run(["ntfsfix", "--no-action", file]);
  return /alternate boot sector\.\.\. (\w+)/.exec(output)?.[1] ?? output;
}

for (const saver of [partclone("ntfs", []), ntfsclone("full")]) {
  testWith(
    [...needs, ...saver.needs],
    `FUS-BACKUP-BOOT: with it the partition in an image of ${saver.title} is the volume`,
    async () => {
      using stack = new DisposableStack();
      if (!ntfs) throw new Error("no NTFS");
      const volume = join(scratch, "volume");
      makeVolume(stack, ntfs, volume);
      const image = join(scratch, "c.img");
      rmSync(image, { force: true });
      must(saver.save(volume, image));
      const boot = readFileSync(volume).subarray(0, 512);
      const isSaved = saver.mountedBy === "vntfsclone";
      for (const options of [[], ["--ntfs-backup-boot"]]) {
        const isOk = isSaved || options.length > 0;
        await using mounted = mountInBackground(ROOT, saver.mountedBy, image, ...options);
        expect(verdict(mounted.file)).toBe(isOk ? "OK" : "BAD");
        const backup = readFileSync(mounted.file).subarray(-512);
        expect(backup.equals(isOk ? boot : Buffer.alloc(512))).toBe(true);
        expect(mounted.out.includes("--ntfs-backup-boot")).toBe(!isOk);
      }
      const packed = `${image}.gz`;
      writeFileSync(packed, Bun.gzipSync(readFileSync(image)));
      await using mounted = mountInBackground(ROOT, "vpartclone", packed, "--ntfs-backup-boot");
      expect(verdict(join(mounted.mountPoint, "c"))).toBe("OK");
    },
    TIMEOUT,
  );
}

testWith(
  needs,
  "FUS-BACKUP-BOOT: an image of another file system is refused, with one line",
  () => {
    using point = mountDirectory(ROOT);
    const image = join(import.meta.dir, "../golden/ext4-v2-none.img");
    const args = [image, "-m", point.path, "--ntfs-backup-boot"];
    expect(runProgram("vpartclone", args)).toEqual({
      status: 1,
      out: "",
      err: "vpartclone: --ntfs-backup-boot: the image holds EXTFS, whose boot sector is not one of NTFS; leave it out\n",
    });
  },
);
