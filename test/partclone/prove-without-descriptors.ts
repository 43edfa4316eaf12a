/** A program that proves an image's strips when no file can be opened any more, and says how many. */
import { openSync } from "node:fs";
import { checksumOf } from "../../src/partclone/checksums.ts";
import { describe } from "../../src/partclone/description.ts";
import { proveParts } from "../../src/partclone/proof.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";

const { name, fd, size } = openFile(process.argv[2] ?? "");
const { layout } = await describe(new SourceStream(openFile(name)));
if (!layout) throw new Error("no layout");
const { geometry } = layout;
await checksumOf(geometry);
const parts = Math.ceil(geometry.usedBlocks / geometry.blocksPerChecksum);
const next = new Int32Array(new SharedArrayBuffer(4));
try {
  for (;;) openSync("/dev/null", "r");
} catch {
  // There are no more.
}
let good = 0;
await proveParts({ name, fd, size, geometry, stripsAtOnce: 1, parts, next }, (proved) => {
  good += proved.good;
});
process.stdout.write(`${good} of ${parts}\n`);
