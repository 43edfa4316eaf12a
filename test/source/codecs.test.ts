import { describe, expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { detectCompression } from "../../src/source/compression.ts";
import { openStream } from "../../src/source/open-stream.ts";
import { testWith } from "../require.ts";
import { compress, type TestCodec, testCodecs } from "./codecs.ts";
import { scratch } from "./scratch.ts";
import { expectSame, mixedContent, readAll, streamSuite } from "./stream-suite.ts";

const made = scratch();
async function decompress(bytes: Uint8Array): Promise<Uint8Array> {
  await using stream = await openStream(made.file("image", bytes));
  return await readAll(stream);
}

/** What reading the bytes comes to: the content, or the error that says why there is none. */
async function outcome(bytes: Uint8Array): Promise<Uint8Array | ImageBackupError> {
  try {
    return await decompress(bytes);
  } catch (error) {
    if (error instanceof ImageBackupError) return error;
    throw error;
  }
}

async function expectDamaged(bytes: Uint8Array, codec: TestCodec): Promise<void> {
  const found = await outcome(bytes);
  expect(found).toBeInstanceOf(ImageBackupError);
  const { code, message } = found as ImageBackupError;
  expect(code).toBe("CORRUPT");
  expect(message).toContain(`the ${codec.name} data is damaged or incomplete near byte `);
  expect(message).not.toContain("\n");
}

const small = mixedContent(40_000);
const other = mixedContent(700_001, 2);

function codecSuite(codec: TestCodec): void {
  const [tool = ""] = codec.command;
  const title = codec.command.join(" ");
  const check = (name: string, fn: () => Promise<void>) =>
    testWith([tool], `${title}: ${name}`, fn, 60_000);

  if (Bun.which(tool)) {
    streamSuite(title, (content) =>
      openStream(made.file("not-its-usual-name", compress(codec, content))),
    );
  }

  check("several members are one stream", async () => {
    const empty = new Uint8Array();
    const members = [small, empty, other, small, empty];
    const bytes = Buffer.concat(members.map((member) => compress(codec, member)));
    expect(detectCompression(bytes)?.name).toBe(codec.name);
    expectSame(await decompress(bytes), Buffer.concat(members));
  });

  check("what follows the last member is an error", async () => {
    const bytes = compress(codec, small);
    await expectDamaged(Buffer.concat([bytes, Buffer.from("something else")]), codec);
    await expectDamaged(Buffer.concat([bytes, new Uint8Array(1024), bytes.slice(0, 9)]), codec);
  });

  check(
    `zeros after the last member are ${codec.allowsPadding ? "ignored" : "an error"}`,
    async () => {
      for (const length of [4, 1024, 3_000_000]) {
        const padded = Buffer.concat([compress(codec, small), new Uint8Array(length)]);
        if (codec.allowsPadding) expectSame(await decompress(padded), small);
        else await expectDamaged(padded, codec);
      }
    },
  );

  check("a truncated file is an error", async () => {
    const bytes = compress(codec, small);
    const property = fc.asyncProperty(fc.integer({ min: 16, max: bytes.length - 1 }), (length) =>
      expectDamaged(bytes.subarray(0, length), codec),
    );
    await fc.assert(property, { numRuns: 40, examples: [[bytes.length - 1], [bytes.length - 4]] });
    const two = Buffer.concat([bytes, compress(codec, other)]);
    await expectDamaged(two.subarray(0, bytes.length + 20), codec);
  });

  check("a flipped bit is an error, or changes nothing", async () => {
    const bytes = compress(codec, small);
    const property = fc.asyncProperty(fc.integer({ min: 32, max: bytes.length * 8 - 1 }), (bit) =>
      expectUnharmed(bytes, bit, codec),
    );
    await fc.assert(property, { numRuns: 60 });
  });
}

async function expectUnharmed(bytes: Uint8Array, bit: number, codec: TestCodec): Promise<void> {
  const flipped = bytes.slice();
  flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
  const found = await outcome(flipped);
  const isStillSeen = detectCompression(flipped)?.name === codec.name;
  if (found instanceof ImageBackupError || !codec.hasChecksum || !isStillSeen) return;
  expectSame(found, small);
}

testCodecs.forEach(codecSuite);

describe("without the tools", () => {
  test("gzip of this runtime", async () => {
    expectSame(await decompress(Bun.gzipSync(other.slice())), other);
  });

  test("zstd of this runtime, between skippable frames", async () => {
    const skippable = Buffer.from("502a4d180500000068656c6c6f", "hex");
    const frame = zstdCompressSync(other);
    const bytes = Buffer.concat([skippable, frame, skippable, frame, skippable]);
    expect(detectCompression(bytes)?.name).toBe("zstd");
    expectSame(await decompress(bytes), Buffer.concat([other, other]));
    const cut = Buffer.concat([frame, skippable.subarray(0, 11)]);
    expect(await outcome(cut)).toMatchObject({ code: "CORRUPT" });
  });
});

describe("what needs more memory than is granted", () => {
  const refusals = [
    { command: ["zstd", "-qc", "--ultra", "--long=31"], advice: "use: zstd -dc --long=31 " },
    { command: ["xz", "-c", "--lzma2=preset=0,dict=1GiB"], advice: "use: xz -dc " },
  ];
  for (const { command, advice } of refusals) {
    const [tool = ""] = command;
    testWith([tool], `${command.join(" ")} is refused with what to do`, async () => {
      const { stdout } = Bun.spawnSync(command, { stdin: small });
      const found = await outcome(stdout);
      expect(found).toMatchObject({ code: "UNSUPPORTED" });
      expect((found as ImageBackupError).message).toContain(advice);
      expect((found as ImageBackupError).message).toEndWith(" | vpartclone -c -");
    });
  }
});

test("an error stays an error when it is read past", async () => {
  const bytes = Bun.gzipSync(small.slice()).subarray(0, 5000);
  await using stream = await openStream(made.file("image.gz", bytes));
  const into = new Uint8Array(small.length);
  await expect(stream.read(into)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(stream.read(into)).rejects.toMatchObject({ code: "CORRUPT" });
  await expect(stream.skip(small.length)).rejects.toMatchObject({ code: "CORRUPT" });
});
