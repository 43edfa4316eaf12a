import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { byTitle, imageForms, openAsMounted, writeImage } from "../image-forms.ts";

const lines = readFileSync(join(import.meta.dirname, "PARTITION.sha256"), "utf8").trim().split("\n");
const images = lines.map((line) => {
  const [sha256 = "", size = "", name = ""] = line.split(/ +/);
  return { sha256, size: Number(size), name };
});

describe.each(byTitle(imageForms))("%s:", (_, form) => {
  const scratch = mkdtempSync(join(tmpdir(), "vpartclone-golden-"));
  afterAll(() => rmSync(scratch, { recursive: true }));

  test.each(images)("$name reads as the partition that partclone restores", async ({ sha256, size, name }) => {
    const path = writeImage(form, scratch, name, readFileSync(join(import.meta.dirname, name)));
    const { image, findings } = await openAsMounted(path);
    await using _source = image.source;
    const partition = new Uint8Array(size + 1);
    expect(await new BlockIO(image).read(partition, 0)).toBe(size);
    expect(new Bun.CryptoHasher("sha256").update(partition.subarray(0, size)).digest("hex")).toBe(sha256);
    expect(findings).toEqual([]);
  });
});

test.each(images)("$name conforms, checksums and all", async ({ name }) => {
  await using source = openFile(join(import.meta.dirname, name));
  expect((await checkImage(new SourceStream(source))).findings).toEqual([]);
});
