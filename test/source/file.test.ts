import { expect, test } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { openFile } from "../../src/source/file.ts";
import { scratch } from "./scratch.ts";

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
