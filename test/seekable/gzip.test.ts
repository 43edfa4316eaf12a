import { describe, expect, test } from "bun:test";
import { constants, gzipSync } from "node:zlib";
import { gzip } from "../../src/seekable/gzip/gzip.ts";
import { memorySource } from "../memory-source.ts";
import { codecSuite, expectIndexed } from "./codec-suite.ts";
import { indexed } from "./indexed.ts";
import { fill } from "./nasty.ts";

const tool = (...command: string[]) => ({ command, hasChecksum: true, joins: true });

codecSuite(gzip, [
  tool("gzip", "-c"),
  tool("gzip", "-1c"),
  tool("gzip", "--rsyncable", "-c"),
  tool("pigz", "-c", "-p2"),
  tool("pigz", "--rsyncable", "-c", "-p2"),
  tool("pigz", "-c", "-0"),
  tool("pigz", "-c", "-i", "-b128", "-p2"),
  tool("pigz", "-c", "-H"),
]);

/** A member with all that its header can have (RFC 1952, 2.3.1). */
function withFullHeader(content: Uint8Array): Uint8Array {
  const header = [0x1f, 0x8b, 8, 0x1e, 0, 0, 0, 0, 0, 3, 3, 0, 9, 9, 9];
  const plain = gzipSync(content);
  return Buffer.concat([
    Uint8Array.from(header),
    Buffer.from(`${"name".repeat(3000)}\0a comment\0`),
    Uint8Array.of(1, 2),
    plain.subarray(10),
  ]);
}

const words = fill([
  { kind: "words", length: 200_000, seed: 3 },
  { kind: "noise", length: 50_000, seed: 4 },
  { kind: "again", length: 90_000, seed: 5 },
]);

async function expectContent(bytes: Uint8Array, content: Uint8Array, spacing = 40_000) {
  for (const pick of [0, 1, 2, 3]) await expectIndexed(gzip, bytes, content, spacing, pick);
}

describe("gzip members", () => {
  test("thousands, many of them empty", async () => {
    const pieces = Array.from({ length: 3000 }, (_, at) =>
      at % 3 === 0 ? new Uint8Array() : words.subarray(at * 10, at * 10 + (at % 60)),
    );
    const members = pieces.map((piece) => gzipSync(piece));
    for (const spacing of [300, 20_000]) {
      await expectContent(Buffer.concat(members), Buffer.concat(pieces), spacing);
    }
  });

  test("that are all empty", async () => {
    const empty = gzipSync(new Uint8Array());
    await expectContent(Buffer.concat([empty, empty, empty]), new Uint8Array());
  });

  test("with every field of the header, and zeros behind the last", async () => {
    const member = withFullHeader(words);
    const bytes = Buffer.concat([member, member, new Uint8Array(10_000)]);
    await expectContent(bytes, Buffer.concat([words, words]));
  });

  test.each([
    ["other bytes", Buffer.from("not gzip")],
    ["zeros and a member", Buffer.concat([new Uint8Array(20), gzipSync(words)])],
    ["half a header", Uint8Array.of(0x1f, 0x8b, 8, 0, 0)],
    ["a reserved flag", Uint8Array.of(0x1f, 0x8b, 8, 0x80, 0, 0, 0, 0, 0, 3, 3, 0)],
  ])("with %s behind the last are damaged", async (_, rest) => {
    const source = memorySource(Buffer.concat([gzipSync(words), rest]));
    await expect(indexed(gzip, source, 10_000)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("of fixed codes, stored, of runs, of codes alone", async () => {
    const { Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY } = constants;
    for (const strategy of [Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY]) {
      await expectContent(gzipSync(words, { strategy, memLevel: 1 }), words);
    }
    await expectContent(gzipSync(words, { level: 0 }), words);
  });

  test("whose blocks are far larger than the segments should be", async () => {
    const zeros = new Uint8Array(40_000_000);
    await expectIndexed(gzip, gzipSync(zeros, { level: 1 }), zeros, 40_000, 1);
  });

  test("of windows smaller than deflate's", async () => {
    await expectContent(gzipSync(words, { windowBits: 9 }), words);
  });
});
