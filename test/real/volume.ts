import { truncateSync, writeFileSync } from "node:fs";
import type { FileSystem, MountArgv } from "./file-systems.ts";
import { loopDevice, mountPoint, must, scratchDirectory } from "./stage.ts";
import { deleteSome, writeTree } from "./tree.ts";

/** A volume with the tree in it. */
export function makeVolume(stack: DisposableStack, fs: FileSystem, volume: string): void {
  writeFileSync(volume, "");
  truncateSync(volume, fs.size);
  must(fs.make(volume));
  if (fs.fill.by === "tool") {
    const tree = scratchDirectory(stack);
    writeTree(tree, fs.links);
    for (const argv of fs.fill.argv(volume, tree)) must(argv);
  } else {
    fillMounted(fs, fs.fill.argv, volume);
  }
}

function fillMounted(fs: FileSystem, mount: MountArgv, volume: string): void {
  using stack = new DisposableStack();
  const device = loopDevice(stack, volume, "rw");
  const root = mountPoint(stack, (directory) => mount(device, directory));
  writeTree(root, fs.links);
  // On disk first: blocks freed before they were ever written would hold no old data.
  must(["sync", "--file-system", root]);
  deleteSome(root);
}
