// Writes a volume to standard output, without a seek, its unused blocks filled with 0xdeadbeef:
// bun examples/deadbeef.ts sda1.img > sda1.vol
import { openImage } from "vpartclone";

const [path = "sda1.img"] = process.argv.slice(2);
await using image = await openImage(path);
const output = Bun.stdout.writer();
const unused = new Uint8Array(image.blockSize);
for (let at = 0; at < unused.length; at++) unused[at] = [0xde, 0xad, 0xbe, 0xef][at % 4] ?? 0;

let written = 0;
async function fillTo(deviceOffset: number): Promise<void> {
  while (written < deviceOffset) {
    const length = Math.min(unused.length, deviceOffset - written);
    output.write(unused.subarray(0, length));
    await output.flush();
    written += length;
  }
}

await image.blockReader({
  async onBlock(deviceOffset, block) {
    await fillTo(deviceOffset);
    output.write(block);
    await output.flush();
    written += block.length;
  },
});
await fillTo(image.totalSize);
await output.end();
