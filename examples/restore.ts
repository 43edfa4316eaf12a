// Restores a partition into a file or a device: bun examples/restore.ts sda1.img sda1.vol
import { open } from "node:fs/promises";
import { openImage } from "vpartclone";

const [path = "sda1.img", target = "sda1.vol"] = process.argv.slice(2);
await using image = await openImage(path);
await using volume = await open(target, "w");

await image.blockReader({
  verifyCrc: true,
  progressBar: true,
  async onBlock(deviceOffset, block) {
    await volume.write(block, 0, block.length, deviceOffset);
  },
});
// A file ends with the device, also where its last blocks are unused.
if ((await volume.stat()).isFile()) await volume.truncate(image.totalSize);
await volume.sync();
