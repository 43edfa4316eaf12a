import { describe, expect } from "bun:test";
import fc from "fast-check";
import { build } from "../../src/seekable/zstd/build.ts";
import { libraryDecoder } from "../../src/seekable/zstd/library.ts";
import { zstd } from "../../src/seekable/zstd/zstd.ts";
import { memorySource } from "../memory-source.ts";
import { testWith } from "../require.ts";
import { codecSuite, compressed, expectIndexed } from "./codec-suite.ts";
import { indexed } from "./indexed.ts";
import { fill, nasty } from "./nasty.ts";

const tool = (...options: string[]) => ({
  command: ["zstd", "-qc", ...options],
  hasChecksum: !options.includes("--no-check"),
  joins: true,
});

codecSuite(zstd, [
  tool("-1"),
  tool("-3"),
  tool("-3", "--no-check"),
  tool("-6", "--zstd=wlog=10"),
  tool("-3", "--zstd=wlog=14"),
  tool("-9", "--zstd=wlog=16"),
  tool("-19", "--zstd=wlog=12"),
  tool("-19"),
  tool("--fast=5"),
  // A window longer than any segment.
  tool("-1", "--zstd=wlog=26"),
]);

const byRuntime = {
  ...zstd,
  build: (...[source, options]) => build(source, options, () => null),
} as typeof zstd;

describe("without the system's library", () => {
  codecSuite(byRuntime, [tool("-3"), tool("-9", "--zstd=wlog=16")]);
});

testWith(
  ["zstd"],
  "a pass goes on in a frame whose window is longer than its segments",
  async () => {
    const content = fill([
      { kind: "words", length: 300_000, seed: 3 },
      { kind: "noise", length: 300_000, seed: 4 },
    ]);
    const frame = compressed(tool("-1", "--zstd=wlog=26"), content);
    const [frames, contents] = [frame, content].map((each) => Buffer.concat([each, each, each]));
    if (!frames || !contents) throw new Error("three of each");
    const { checkpoints } = await indexed(zstd, memorySource(frames), 60_000);
    for (const pick of checkpoints.keys()) {
      await expectIndexed(zstd, frames, contents, 60_000, pick);
    }
  },
);

testWith(
  ["zstd"],
  "the index is the same by the system's library and by the runtime",
  async () => {
    using library = libraryDecoder();
    expect(library).not.toBeNull();
    const frames = fc.array(nasty, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(frames, fc.constantFrom("-1", "-3", "-19"), async (stretches, level) => {
        const parts = stretches.map((each) => compressed(tool(level), fill(each)));
        const source = memorySource(Buffer.concat(parts));
        const [one, other] = await Promise.all(
          [zstd, byRuntime].map((codec) => indexed(codec, source, 4096)),
        );
        expect(one).toEqual(other as typeof one);
      }),
      { numRuns: 30 },
    );
  },
  60_000,
);
