import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  anyImage,
  ntfscloneImage,
  partcloneV1,
  partcloneV2,
} from "../../fixtures-gen/arbitraries.ts";
import { type Fixture, UNKNOWN } from "../../fixtures-gen/fixture.ts";
import { layOutImage, reviveImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import type { Image } from "../../src/image/image.ts";
import { memorySource } from "../memory-source.ts";
import { numRuns, propertyTimeout } from "./runs.ts";

/** A range of the partition as two fractions, so that it shrinks with the image. */
const ranges = fc.array(fc.tuple(fc.nat(1 << 20), fc.nat(1 << 18)), { minLength: 1, maxLength: 6 });

const isReadable = ({ present }: Fixture) => !present.includes(UNKNOWN);

const kinds = {
  "partclone v1": partcloneV1,
  "partclone v2": partcloneV2,
  ntfsclone: ntfscloneImage,
};

for (const [kind, images] of Object.entries(kinds)) {
  test(
    `${kind}: any read of any range equals the partition`,
    async () => {
      const property = fc.asyncProperty(
        images() as fc.Arbitrary<Fixture>,
        ranges,
        async (fixture, wanted) => {
          fc.pre(isReadable(fixture));
          const { image } = await layOutImage(memorySource(fixture.image));
          expect(image.deviceSize).toBe(fixture.deviceSize);
          await expectEqualReads(image, fixture.partition, wanted);
        },
      );
      await fc.assert(property, { numRuns });
    },
    propertyTimeout,
  );
}

async function expectEqualReads(
  image: Image,
  partition: Uint8Array,
  wanted: readonly (readonly [number, number])[],
) {
  const io = new BlockIO(image);
  const whole = [0, partition.length + 1] as const;
  for (const [from, most] of [whole, ...wanted]) {
    const offset = from % (partition.length + 2);
    const length = most % (partition.length + 2);
    const into = new Uint8Array(length).fill(0xa5);
    const expected = partition.subarray(offset, offset + length);
    expect(await io.read(into, offset)).toBe(expected.length);
    expect(Buffer.compare(into.subarray(0, expected.length), expected)).toBe(0);
    // Nothing is written past what was read.
    expect(into.subarray(expected.length).every((byte) => byte === 0xa5)).toBe(true);
  }
}

test(
  "runs cover the blocks as the bitmap says, and name the place of each",
  async () => {
    const property = fc.asyncProperty(
      anyImage(),
      fc.integer({ min: 1, max: 50 }),
      async (fixture, limit) => {
        fc.pre(isReadable(fixture));
        const { image } = await layOutImage(memorySource(fixture.image));
        const places = new Map(
          fixture.stored.map(({ block, imageOffset }) => [block, imageOffset]),
        );
        for (let block = 0; block < image.blockCount; ) {
          const run = image.runAt(block, limit);
          expect(run.count).toBeGreaterThanOrEqual(1);
          expect(run.count).toBeLessThanOrEqual(limit);
          if (run.stored) expect(run.stored.imageOffset).toBe(places.get(block) ?? Number.NaN);
          for (let index = block; index < block + run.count; index++) {
            expect(places.has(index)).toBe(run.stored !== null);
          }
          block += run.count;
        }
      },
    );
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test(
  "an image sent to another thread reads the same",
  async () => {
    const property = fc.asyncProperty(anyImage(), async (fixture) => {
      fc.pre(isReadable(fixture));
      const source = memorySource(fixture.image);
      const { shared } = await layOutImage(source);
      await expectEqualReads(
        await reviveImage(source, structuredClone(shared)),
        fixture.partition,
        [],
      );
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

/**
 * No real metadata image begins with cluster 0, by which NTC-DATA-COMPLETE tells it from a full one
 * that is cut before its first negative gap.
 */
const looksFullBeforeItTurnsBack = ({ stored }: Fixture) =>
  stored[0]?.block === 0 &&
  stored.some(({ block }, index) => block < (stored[index - 1]?.block ?? 0));

/** Of a cluster that is stored twice, a cut image may have lost the copy that counts. */
const storesTwice = ({ stored }: Fixture) =>
  new Set(stored.map(({ block }) => block)).size < stored.length;

test(
  "a truncated image reads what is there, and fails where it is not",
  async () => {
    const property = fc.asyncProperty(
      anyImage(),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (fixture, part) => {
        fc.pre(isReadable(fixture));
        const dataStart = Math.min(...fixture.stored.map(({ imageOffset }) => imageOffset));
        fc.pre(Number.isFinite(dataStart) && !looksFullBeforeItTurnsBack(fixture));
        fc.pre(!storesTwice(fixture));
        const size = Math.floor(dataStart + part * (fixture.image.length - dataStart));
        const { image } = await layOutImage(memorySource(fixture.image.subarray(0, size)));
        const io = new BlockIO(image);
        const { blockSize, partition } = fixture;
        const into = new Uint8Array(blockSize);
        for (let at = 0; at < partition.length; at += blockSize) {
          const expected = partition.subarray(at, at + blockSize);
          const got = await io.read(into, at).catch(() => null);
          if (got !== null) expect(Buffer.compare(into.subarray(0, got), expected)).toBe(0);
        }
        for (const { block, imageOffset, length } of fixture.stored) {
          if (imageOffset + length <= size || length === 0) continue;
          await expect(io.read(into, block * blockSize)).rejects.toThrow();
        }
      },
    );
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);
