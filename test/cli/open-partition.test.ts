import { expect } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { example } from "../../fixtures-gen/examples.ts";
import { openPartition } from "../../src/cli/open-partition.ts";
import { readImageFolder } from "../../src/clonezilla/image-folder.ts";
import { written } from "../clonezilla/written.ts";
import { testWith } from "../require.ts";
import { compressed } from "./compressors.ts";

const options = { verify: false, indexDirectory: null, log() {} };

const openBelow = (folder: string): string[] =>
  readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return []; // That of the listing itself.
    }
  });

/** Whoever reads such a file of a mount tries again, and again. */
testWith(["xz"], "an image that cannot be opened leaves no file open", async () => {
  const damaged = brokenImage("NTC-POSITION");
  if (!damaged) throw new Error("nothing breaks NTC-POSITION");
  using folder = written({
    "sda1.ntfs-img": damaged.image,
    "sda2.ext4-ptcl-img.lzma": compressed("lzma", example("v2-crc32").image),
    "sda3.ext4-ptcl-img.uncomp": example("v2-crc32").image,
  });
  const { partitions } = await readImageFolder(folder.path);
  expect(partitions.map(({ image }) => image?.problem)).toEqual([null, null, null]);
  for (const { image } of partitions) {
    if (!image) throw new Error("an image is missing");
    // Of another size than the folder's mount tells.
    const opening = openPartition(image, (image.deviceSize ?? 0) + 1, options);
    expect(opening).rejects.toThrow();
    await opening.catch(() => {});
    expect(openBelow(folder.path)).toEqual([]);
  }
});
