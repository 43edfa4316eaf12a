import { describe, expect } from "bun:test";
import type { SeekableCodec, Segment } from "../../src/seekable/codec.ts";
import { lzip } from "../../src/seekable/lzip/lzip.ts";
import { WrongChecksum } from "../../src/seekable/malformed.ts";
import { lzma } from "../../src/seekable/xz/lzma.ts";
import { buildSnapshots } from "../../src/seekable/xz/snapshots.ts";
import { xz } from "../../src/seekable/xz/xz.ts";
import { lzipFormat, xzFormat } from "../../src/source/codecs/xz.ts";
import { memorySource } from "../memory-source.ts";
import { testWith } from "../require.ts";
import { codecSuite, compressed, expectIndexed } from "./codec-suite.ts";
import { indexed, segmentsOf } from "./indexed.ts";
import { fill } from "./nasty.ts";

const tool = (...command: string[]) => ({ command, hasChecksum: true, joins: true });

codecSuite(xz, [
  tool("xz", "-0c", "-T2", "--block-size=4096"),
  tool("xz", "-0c", "-T2", "--block-size=100KiB"),
  tool("xz", "-0c", "-T1", "-Csha256"),
  tool("xz", "-0c", "-T1", "--block-size=30000", "-Ccrc32"),
  tool("xz", "-6c", "-T1"),
]);

codecSuite(lzma, [
  { command: ["xz", "-Flzma", "-0c"], hasChecksum: false },
  { command: ["xz", "-Flzma", "-6c"], hasChecksum: false },
]);

codecSuite(lzip, [tool("lzip", "-0c"), tool("plzip", "-0c", "-n2", "-B", "100000")]);

const content = fill([
  { kind: "words", length: 100_000, seed: 3 },
  { kind: "noise", length: 50_000, seed: 4 },
]);
const stream = () => compressed(tool("xz", "-0c", "--block-size=20000"), content);

describe("xz streams", () => {
  const twice = Buffer.concat([content, content]);
  const check = (title: string, fn: () => Promise<void>) => testWith(["xz"], title, fn, 60_000);

  check("may have zeros behind them, in multiples of four", async () => {
    const zeros = new Uint8Array(10_000);
    const bytes = Buffer.concat([stream(), zeros, stream(), zeros]);
    await expectIndexed(xz, bytes, twice, 30_000, 2);
    await expectCorrupt(Buffer.concat([stream(), zeros.subarray(0, 6)]));
  });

  check("are the whole file", async () => {
    await expectCorrupt(Buffer.concat([stream(), Buffer.from("not xz")]));
    await expectCorrupt(Buffer.concat([Buffer.from("no xz at all"), stream()]));
    await expectCorrupt(new Uint8Array(5000));
  });

  check("without blocks are nothing", async () => {
    const empty = compressed(tool("xz", "-0c"), new Uint8Array());
    await expectIndexed(xz, Buffer.concat([empty, stream(), empty]), content, 30_000, 2);
  });

  check("of one large block are read by snapshots of the decoder", async () => {
    const large = Buffer.concat([content, new Uint8Array(2 ** 26), content]);
    const bytes = compressed(tool("xz", "-0c", "-T1"), large);
    const index = await expectIndexed(xz, bytes, large, 2 ** 22, 2);
    expect(index.checkpoints.length).toBeGreaterThan(2);
  });
});

async function expectCorrupt(bytes: Uint8Array): Promise<void> {
  const pass = indexed(xz, memorySource(bytes), 30_000);
  await expect(pass).rejects.toMatchObject({ code: "CORRUPT" });
}

describe("snapshots of the decoder", () => {
  const large = fill([
    { kind: "words", length: 3_000_000, seed: 5 },
    { kind: "noise", length: 2_000_000, seed: 6 },
    { kind: "again", length: 3_000_000, seed: 1_000_003 },
    { kind: "sparse", length: 2_000_000, seed: 7 },
  ]);
  const command = ["xz", "-Flzma", "-1c"];
  const bytes = () => compressed({ command, hasChecksum: false }, large);

  const check = (needed: string, title: string, fn: () => Promise<void>) =>
    testWith([needed], title, fn, 60_000);

  const byFilter = [
    ["-T1", "-Csha256", "--lzma2=dict=4KiB,lc=1,lp=3,pb=0"],
    ["-T1", "-Ccrc32", "--x86", "--lzma2=dict=64KiB"],
    ["-T1", "-Cnone", "--delta=dist=7", "--arm", "--lzma2=dict=16KiB"],
  ];
  for (const options of byFilter) {
    check("xz", `are exact with ${options.join(" ")}`, async () => {
      const filtered = compressed(tool("xz", "-0c", ...options), large);
      const oneBlock: SeekableCodec = {
        ...xz,
        build: (source, pass) => buildSnapshots(source, xzFormat, true, pass),
      };
      const index = await expectIndexed(oneBlock, filtered, large, 500_000, 1);
      expect(index.checkpoints.length).toBeGreaterThan(2);
    });
  }

  check("xz", "are exact, wherever they are taken", async () => {
    const index = await expectIndexed(lzma, bytes(), large, 250_000, 2);
    expect(index.checkpoints.length).toBeGreaterThan(3);
  });

  check("xz", "one wrong bit after the pass gives an error", async () => {
    const damaged = Uint8Array.from(bytes());
    const index = await indexed(lzma, memorySource(damaged), 250_000);
    const [, segment] = segmentsOf(index, memorySource(damaged));
    const at = ((segment?.from.inOffset ?? 0) + (segment?.inEnd ?? 0)) >> 1;
    damaged[at] = (damaged[at] as number) ^ 1;
    const read = lzma.readSegment(memorySource(damaged), segment as Segment);
    await expect(read).rejects.toMatchObject({ code: "CORRUPT" });
  });

  check("lzip", "what a wrong checksum ends is void", async () => {
    const damaged = Uint8Array.from(compressed(tool("lzip", "-0c"), large));
    damaged[damaged.length - 20] = (damaged[damaged.length - 20] as number) ^ 1;
    const pass = buildSnapshots(memorySource(damaged), lzipFormat, true, {
      from: null,
      spacing: 250_000,
    });
    const error = await Array.fromAsync(pass).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: "CORRUPT", cause: expect.any(WrongChecksum) });
  });
});
