import { describe, expect } from "bun:test";
import { statSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { testWith } from "../require.ts";
import { expectSameBytes, expectSameCopy, expectSameVerdict, filesInside } from "./compare.ts";
import { FILE_SYSTEMS, type FileSystem } from "./file-systems.ts";
import { ourRestore, type Saver, vconform } from "./savers.ts";
import { must, scratchDirectory, virtualPartition } from "./stage.ts";
import { makeVolume } from "./volume.ts";

const NEEDS = ["root", "/dev/fuse", "/dev/loop-control"];
const TIMEOUT = 120_000;

for (const fs of FILE_SYSTEMS) {
  describe(fs.name, () => {
    for (const saver of fs.savers) {
      testWith(
        [...NEEDS, ...fs.needs, ...saver.needs],
        `an image by ${saver.title} reads as the real restore`,
        () => savedAndMounted(fs, saver),
        TIMEOUT,
      );
    }
  });
}

function savedAndMounted(fs: FileSystem, saver: Saver): void {
  using stack = new DisposableStack();
  const directory = scratchDirectory(stack);
  const volume = join(directory, "volume");
  const image = join(directory, "saved.img");
  const restored = join(directory, "restored");
  makeVolume(stack, fs, volume);
  must(saver.save(volume, image));
  must(vconform(image));
  must(saver.restore(image, restored));
  // A partition has its size before it is restored; the file must be given it.
  truncateSync(restored, fs.size);

  const ours = join(directory, "ours");
  must(ourRestore(saver.mountedBy, image, ours));
  expectSameBytes(ours, restored);

  const virtual = virtualPartition(stack, saver.mountedBy, image);
  expect(basename(virtual)).toBe("saved");
  expect(statSync(virtual).size).toBe(fs.size);
  expectSameBytes(virtual, restored);
  expectSameCopy(virtual, restored, join(directory, "copy"));
  expectSameVerdict(fs, virtual, restored);
  if (fs.show !== null && saver.keepsFiles) {
    const files = filesInside(fs.show, volume);
    expect(files.length).toBeGreaterThan(60);
    expect(filesInside(fs.show, virtual)).toEqual(files);
  }
}
