/** Restores a partition to a sparse file: bun bench/restore.ts IMAGE FILE */
import { closeSync, ftruncateSync, openSync, writevSync } from "node:fs";
import { openImage } from "../src/open-image.ts";

/** Blocks written at once: pwritev takes no more. */
const MOST = 1024;

const [path = "", target = ""] = process.argv.slice(2);
await using image = await openImage(path);
const fd = openSync(target, "w");
let blocks: Uint8Array[] = [];
let start = 0;
let end = 0;

function flush(): void {
  if (blocks.length === 0) return;
  const written = writevSync(fd, blocks, start);
  if (written !== end - start)
    throw new Error(`${target}: ${written} of ${end - start} bytes written`);
  blocks = [];
}

await image.blockReader({
  verifyCrc: true,
  onBlock(deviceOffset, block) {
    if (deviceOffset !== end || blocks.length === MOST) {
      flush();
      start = deviceOffset;
    }
    blocks.push(block);
    end = deviceOffset + block.length;
  },
});
flush();
ftruncateSync(fd, image.totalSize);
closeSync(fd);
