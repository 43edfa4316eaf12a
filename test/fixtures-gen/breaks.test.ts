import { describe, expect, test } from "bun:test";
import { crc32 } from "node:zlib";
import { breaks, brokenImage } from "../../fixtures-gen/breaks.ts";
import { example } from "../../fixtures-gen/examples.ts";

describe.each(Object.entries(breaks))("break %s", (rule, { base }) => {
  test("changes a sound example, and leaves the example alone", () => {
    const sound = example(base);
    const before = sound.image.slice();
    const broken = breaks[rule]?.apply(sound);
    expect(sound.breaks).toEqual([]);
    expect(Buffer.compare(sound.image, before)).toBe(0);
    expect(broken && Buffer.compare(broken, before)).not.toBe(0);
  });
});

test("a broken field of a version 0002 header is under a right checksum", () => {
  const HEADER_SIZE = 110;
  for (const rule of Object.keys(breaks).filter((id) => id.startsWith("PC2-"))) {
    const image = brokenImage(rule)?.image ?? new Uint8Array();
    if (image.length < HEADER_SIZE) continue;
    const littleEndian = rule !== "PC2-BIG-ENDIAN-TAIL";
    const stored = new DataView(image.buffer, image.byteOffset).getUint32(106, littleEndian);
    const isRight = stored === ~crc32(image.subarray(0, 106)) >>> 0;
    expect([rule, isRight]).toEqual([rule, rule !== "PC2-HEADER-CRC"]);
  }
});

test("there is no broken image for what is no rule", () => {
  expect(brokenImage("no such rule")).toBeNull();
  expect(brokenImage("constructor")).toBeNull();
});
