import { expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SeekableCodec } from "../../src/seekable/codec.ts";
import { IndexFile } from "../../src/seekable/index-file.ts";
import { SeekableSource } from "../../src/seekable/seekable-source.ts";
import { Segments } from "../../src/seekable/segments.ts";
import { memorySource } from "../memory-source.ts";

/** Two of them are more than what is kept, as of `xz -T0`, whose blocks have 24 MiB. */
const SIZE = 20 * 2 ** 20;
const COUNT = 3;
const STEP = 2 ** 20;

test("segments of which few are kept are decoded once, read in order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "vpartclone-seekable-"));
  const fd = openSync(join(folder, "index"), "w+");
  try {
    const file = IndexFile.create(fd, "key");
    const entries = Array.from({ length: COUNT }, (_, index) =>
      file.add({ outOffset: index * SIZE, inOffset: index, inBit: 0, state: new Uint8Array() }),
    );
    const records = { entries, outSize: COUNT * SIZE, isProved: true };
    const decoded: number[] = [];
    const codec: SeekableCodec = {
      ...{ name: "test", version: 1, spacing: SIZE },
      async *build() {},
      async readSegment(_, { from, length }) {
        decoded.push(from.inOffset);
        return new Uint8Array(length);
      },
    };
    await using source = new SeekableSource({
      ...{ compressed: memorySource(new Uint8Array(COUNT)), codec, indexPath: null },
      segments: new Segments(fd, COUNT, records),
      ...{ log() {}, discard() {}, async close() {} },
    });
    const piece = new Uint8Array(STEP);
    for (let at = 0; at < COUNT * SIZE; at += STEP) await source.read(piece, at);
    expect(decoded).toEqual([0, 1, 2]);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});
