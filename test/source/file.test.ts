import { describe, expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { openFile } from "../../src/source/file.ts";
import { scratch } from "./scratch.ts";
import { expectSame, mixedContent } from "./stream-suite.ts";

const files = scratch();

test("a file that is closed is not read, whatever has its descriptor by now", async () => {
  const path = files.file("image", Uint8Array.of(1));
  const source = openFile(path);
  await source[Symbol.asyncDispose]();
  const other = openSync("/dev/zero", "r");
  expect(other).toBe(source.fd);
  const byte = new Uint8Array(1);
  expect(source.read(byte, 0)).rejects.toThrow(`${path}: is closed`);
  expect(source.readPieces([byte], 0)).rejects.toThrow(`${path}: is closed`);
  closeSync(other);
});

describe("a file that is read aside", () => {
  const content = mixedContent(300_000);
  const path = files.file("aside", content);
  const opened = () => openFile(path, "aside");

  test("gives the same bytes, and the same error behind its end", async () => {
    await using source = opened();
    expect(source.now).toBeUndefined();
    const parts = [
      new Uint8Array(7),
      new Uint8Array(200_000),
      new Uint8Array(0),
      new Uint8Array(9),
    ];
    await source.readPieces(parts, 1234);
    expectSame(Buffer.concat(parts), content.subarray(1234, 1234 + 200_016));
    await using other = openFile(path);
    for (const at of [299_999, 300_000, 900_000]) {
      const errors = [source, other].map((each) => each.read(new Uint8Array(2), at).catch(String));
      const [own, expected] = await Promise.all(errors);
      expect(own).toBe(expected);
      expect(own).toContain("the image ends before bytes");
    }
  });

  test("is closed when reads that have begun have ended, and not read then", async () => {
    const source = opened();
    const bytes = new Uint8Array(content.length);
    const read = source.read(bytes, 0);
    await source[Symbol.asyncDispose]();
    await read;
    expectSame(bytes, content);
    expect(source.read(bytes, 0)).rejects.toThrow(`${path}: is closed`);
    expect(source.readPieces([bytes], 0)).rejects.toThrow(`${path}: is closed`);
  });
});
