import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ntfscloneImage, partcloneV1, partcloneV2 } from "../../fixtures-gen/arbitraries.ts";
import { flip } from "../../fixtures-gen/break.ts";
import { type ExampleName, example } from "../../fixtures-gen/examples.ts";
import type { Fixture } from "../../fixtures-gen/fixture.ts";
import type { ImageInput } from "../../src/source/input.ts";
import { memorySource } from "../memory-source.ts";
import { numRuns, propertyTimeout } from "../property/runs.ts";
import { expectedBlocks, isReadable, openAs, pipeOf } from "./ground-truth.ts";

const kinds: Readonly<Record<string, () => fc.Arbitrary<Fixture>>> = {
  "partclone v1": partcloneV1,
  "partclone v2": partcloneV2,
  ntfsclone: ntfscloneImage,
};

type Received = [deviceOffset: number, block: Uint8Array][];

async function receive(fixture: Fixture, input: ImageInput, verifyCrc: boolean): Promise<Received> {
  const received: Received = [];
  await using image = await openAs(fixture, input);
  await image.blockReader({
    verifyCrc,
    // A caller may take its time, and may keep the bytes: they are compared at the end.
    onBlock(deviceOffset, block) {
      received.push([deviceOffset, block]);
      return deviceOffset % 3 === 0 ? Promise.resolve() : undefined;
    },
  });
  return received;
}

function expectBlocks(received: Received, fixture: Fixture): void {
  const expected = expectedBlocks(fixture);
  expect(received.map(([deviceOffset]) => deviceOffset)).toEqual(expected.map(([at]) => at));
  for (const [index, [, block]] of received.entries()) {
    expect(Buffer.compare(block, expected[index]?.[1] ?? new Uint8Array())).toBe(0);
  }
}

describe.each(Object.entries(kinds))("%s", (_kind, images) => {
  test(
    "blockReader brings the used blocks, each once, in ascending order",
    async () => {
      const property = fc.asyncProperty(images(), fc.boolean(), async (fixture, verifyCrc) => {
        fc.pre(isReadable(fixture));
        const source = memorySource(fixture.image);
        expectBlocks(await receive(fixture, source, verifyCrc), fixture);
      });
      await fc.assert(property, { numRuns: numRuns / 4 });
    },
    propertyTimeout,
  );

  test(
    "a pipe, in chunks of any size, brings the same",
    async () => {
      const sizes = fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 4 });
      const property = fc.asyncProperty(images(), sizes, fc.boolean(), async (fixture, ...rest) => {
        const [chunks, verifyCrc] = rest;
        fc.pre(isReadable(fixture) && !isMetadataThatLooksFull(fixture));
        expectBlocks(await receive(fixture, pipeOf(fixture.image, chunks), verifyCrc), fixture);
      });
      await fc.assert(property, { numRuns: numRuns / 4 });
    },
    propertyTimeout,
  );
});

/** A pipe's order is known by its first cluster; no real metadata image begins with cluster 0. */
const isMetadataThatLooksFull = ({ format, stored }: Fixture): boolean =>
  format === "ntfsclone" &&
  stored[0]?.block === 0 &&
  stored.some(({ block }, index) => block <= (stored[index - 1]?.block ?? -1));

test("such an image from a pipe fails with a word of advice", async () => {
  const fixture = example("ntfs-stored-twice");
  await expect(receive(fixture, pipeOf(fixture.image), false)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("save the image to a file first"),
  });
});

const proved: readonly ExampleName[] = [
  ...(["v1-plain", "v1-checksums-8-bytes", "v2-crc32", "v2-xxh64", "v2-xxh128"] as const),
  ...(["v2-crc32-no-reseed", "v2-xxh128-no-reseed", "v2-big-endian-xxh128"] as const),
];

describe.each(proved)("%s with a bad strip", (name) => {
  const fixture = example(name);
  const strip = fixture.strips[2];
  const image = flip(fixture, strip?.imageOffset ?? 0);
  const inputs = { "a source": () => memorySource(image), "a pipe": () => pipeOf(image) };

  test.each(Object.entries(inputs))(
    "%s: verifyCrc throws BAD_CHECKSUM with the place",
    async (_, input) => {
      const before = fixture.strips.slice(0, 2).reduce((sum, { blocks }) => sum + blocks, 0);
      await expect(receive(fixture, input(), true)).rejects.toMatchObject({
        name: "ImageBackupError",
        code: "BAD_CHECKSUM",
        imageOffset: strip?.imageOffset,
        deviceOffset: (fixture.stored[before]?.block ?? 0) * fixture.blockSize,
      });
    },
  );

  test.each(Object.entries(inputs))("%s: without verifyCrc it is read", async (_, input) => {
    expect(await receive(fixture, input(), false)).toHaveLength(fixture.stored.length);
  });
});

const cut: readonly ExampleName[] = [
  "v1-plain",
  "v2-none",
  "v2-xxh64",
  "ntfs-10.1",
  "ntfs-metadata",
];

describe.each(cut)("%s, truncated", (name) => {
  const fixture = example(name);
  const image = fixture.image.slice(0, -300);
  const inputs = { "a source": () => memorySource(image), "a pipe": () => pipeOf(image) };

  test.each(Object.entries(inputs))("%s: SHORT_READ", async (_, input) => {
    await expect(receive(fixture, input(), false)).rejects.toMatchObject({ code: "SHORT_READ" });
  });
});

test("what onBlock throws, or rejects with, comes out", async () => {
  const fixture = example("v2-crc32");
  for (const onBlock of [
    () => Promise.reject(new Error("mine")),
    () => {
      throw new Error("mine");
    },
  ]) {
    await using image = await openAs(fixture, memorySource(fixture.image));
    await expect(image.blockReader({ onBlock })).rejects.toThrow("mine");
    // A file can be read again from the start.
    let blocks = 0;
    await image.blockReader({ onBlock: () => void blocks++ });
    expect(blocks).toBe(fixture.stored.length);
  }
});
