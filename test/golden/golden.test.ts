import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkImage, layOutImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";

const lines = readFileSync(join(import.meta.dirname, "PARTITION.sha256"), "utf8").trim().split("\n");
const images = lines.map((line) => {
  const [sha256 = "", size = "", name = ""] = line.split(/ +/);
  return { sha256, size: Number(size), name };
});

test.each(images)("$name reads as the partition that partclone restores", async ({ sha256, size, name }) => {
  await using source = openFile(join(import.meta.dirname, name));
  const { image, findings } = await layOutImage(source);
  const partition = new Uint8Array(size + 1);
  expect(await new BlockIO(image).read(partition, 0)).toBe(size);
  expect(new Bun.CryptoHasher("sha256").update(partition.subarray(0, size)).digest("hex")).toBe(sha256);
  expect(findings).toEqual([]);
});

test.each(images)("$name conforms, checksums and all", async ({ name }) => {
  await using source = openFile(join(import.meta.dirname, name));
  expect((await checkImage(new SourceStream(source))).findings).toEqual([]);
});
