import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { detectCompression, HEAD_SIZE } from "../../src/source/compression.ts";

const hex = (digits: string) => new Uint8Array(Buffer.from(digits, "hex"));

test.each([
  ["1f8b0800", "gzip"],
  ["425a6839314159265359", "bzip2"],
  ["28b52ffd", "zstd"],
  ["502a4d1800000000", "zstd"],
  ["5f2a4d18ffffffff", "zstd"],
  ["502a4d180100000000" + "28b52ffd", "zstd"],
  ["502a4d180100000000" + "502a4d180000000004224d18", "lz4"],
  ["04224d18", "lz4"],
  ["02214c18", "lz4"],
  ["fd377a585a00", "xz"],
  ["5d00008000ffffffffffffffff0000", "lzma"],
  ["5d00000001000010000000000000", "lzma"],
  ["4c5a495001", "lzip"],
  ["894c5a4f000d0a1a0a", "lzop"],
])("%s is %s", (digits, name) => {
  expect(detectCompression(hex(digits))?.name).toBe(name);
});

test.each([
  ["", "nothing"],
  ["1f", "half a magic number"],
  ["fd377a585a", "most of one"],
  ["425a6861", "BZha"],
  ["5d00000001", "a .lzma header cut short"],
  ["5d0000800000000000000000ff0000", "a size that no file has"],
  ["5d000080ffffffffffffffffff0000", "a dictionary that no encoder makes"],
  ["5d00008000ffffffffffffffff0100", "data that no encoder makes"],
])("%s is not compressed: %s", (digits) => {
  expect(detectCompression(hex(digits))).toBeNull();
});

test("no golden image looks compressed", async () => {
  const folder = join(import.meta.dirname, "../golden");
  const images = readdirSync(folder).filter((name) => name.endsWith(".img"));
  expect(images).not.toBeEmpty();
  for (const image of images) {
    const head = await Bun.file(join(folder, image)).slice(0, HEAD_SIZE).bytes();
    expect(detectCompression(head)).toBeNull();
  }
});

test("every compression names the command that undoes it", () => {
  expect(detectCompression(hex("fd377a585a00"))?.command).toBe("xz -dc");
  expect(detectCompression(hex("894c5a4f000d0a1a0a"))?.command).toBe("lzop -dc");
});
