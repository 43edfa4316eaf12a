import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { openImage, PartClone } from "../../src/index.ts";

const root = join(import.meta.dirname, "../..");
const golden = join(root, "test/golden/ext4-v2-xxh128-k8.img");
const grouped = (value: number): string => value.toLocaleString("en");

test("the example in docs/layout.md is right", async () => {
  const page = readFileSync(join(root, "docs/layout.md"), "utf8").replace(/\s+/g, " ");
  await using image = await openImage(golden);
  if (!(image instanceof PartClone)) throw new Error("not partclone");
  let rank = 0;
  for (let block = 0; block < 49; block++) if (image.blockInUse(block)) rank += 1;
  expect(page).toContain(
    `holds ${image.usedBlocks} of ${image.totalBlocks} blocks of ${grouped(image.blockSize)} bytes`,
  );
  expect(page).toContain(`there are ${rank} stored ones`);
  expect(page).toContain(` = ${grouped(image.blockOffset(49) ?? 0)}.`);
  expect(page).toContain(`begins at 110 + 32 + 4 = ${image.blockOffset(0)}`);
  expect(page).toContain(`at ${grouped(Bun.file(golden).size)} bytes`);
});
