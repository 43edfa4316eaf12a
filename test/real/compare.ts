import { expect } from "bun:test";
import { rmSync } from "node:fs";
import type { Access, FileSystem } from "./file-systems.ts";
import { loopDevice, mountPoint, must, run, scratchDirectory } from "./stage.ts";
import { manifest } from "./tree.ts";

export function expectSameBytes(virtual: string, restored: string): void {
  expect(run(["cmp", virtual, restored])).toEqual({ status: 0, output: "" });
}

/** `cp` asks where the data is (SEEK_DATA, SEEK_HOLE) and reads only there. */
export function expectSameCopy(virtual: string, restored: string, copy: string): void {
  must(["cp", "--sparse=always", virtual, copy]);
  expectSameBytes(copy, restored);
  rmSync(copy);
}

/** The check command must judge the virtual partition as it judges the restored one. */
export function expectSameVerdict(fs: FileSystem, virtual: string, restored: string): void {
  const [ours, real] = [virtual, restored].map((volume) => {
    const { status, output } = run(fs.check(volume));
    // xfs_repair reports on several groups at once, in any order.
    return { status, lines: output.replaceAll(volume, "VOLUME").split("\n").sort() };
  });
  expect(ours).toEqual(real);
}

/** The manifest of a volume's files, read without a write to it. */
export function filesInside(show: Access, volume: string): string[] {
  using stack = new DisposableStack();
  if (show.by === "tool") {
    const directory = scratchDirectory(stack);
    for (const argv of show.argv(volume, directory)) must(argv);
    return manifest(directory);
  }
  const device = loopDevice(stack, volume, "ro");
  return manifest(mountPoint(stack, (dir) => show.argv(device, dir)));
}
