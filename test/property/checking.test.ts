import { expect, test } from "bun:test";
import fc from "fast-check";
import { anyImage } from "../../fixtures-gen/arbitraries.ts";
import { type Fixture, UNKNOWN } from "../../fixtures-gen/fixture.ts";
import { checkImage } from "../../src/formats.ts";
import { ChunkStream, SourceStream } from "../../src/source/stream.ts";
import { memorySource, pieces } from "../memory-source.ts";
import { numRuns, propertyTimeout } from "./runs.ts";

const isReadable = ({ present }: Fixture) => !present.includes(UNKNOWN);
const chunkSizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 5 });

const rulesOf = async (image: Uint8Array) => {
  const { findings } = await checkImage(new SourceStream(memorySource(image)));
  return [...new Set(findings.map(({ rule }) => rule))].toSorted();
};

test(
  "a generated image breaks the rules it says it breaks, and no other",
  async () => {
    const property = fc.asyncProperty(anyImage(), async (fixture) => {
      fc.pre(isReadable(fixture));
      expect(await rulesOf(fixture.image)).toEqual(fixture.breaks.toSorted());
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test(
  "a pipe, in chunks of any size, is judged as the file is",
  async () => {
    const property = fc.asyncProperty(anyImage(), chunkSizes, async ({ image }, sizes) => {
      const stream = new ChunkStream("pipe", pieces(image, sizes));
      const { findings: fromPipe } = await checkImage(stream);
      const { findings: fromFile } = await checkImage(new SourceStream(memorySource(image)));
      const key = (finding: { rule: string; imageOffset: number }) =>
        `${finding.rule}@${finding.imageOffset}`;
      expect(fromPipe.map(key).toSorted()).toEqual(fromFile.map(key).toSorted());
    });
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);

test(
  "any byte flipped in any strip is found, also in the last, short one",
  async () => {
    const property = fc.asyncProperty(
      anyImage(),
      fc.nat(),
      fc.nat(7),
      async (fixture, place, bit) => {
        const { format, strips, stored, blockSize } = fixture;
        fc.pre(isReadable(fixture) && format === "partclone-v2" && strips.length > 0);
        const strip = strips[place % strips.length];
        const checksumSize = strip?.checksumSize ?? 0;
        const length = (strip?.blocks ?? 0) * blockSize + checksumSize;
        fc.pre(checksumSize > 0 && stored.length > 0);
        const image = fixture.image.slice();
        const at = (strip?.imageOffset ?? 0) + (place % length);
        image[at] = (image[at] ?? 0) ^ (1 << bit);
        expect(await rulesOf(image)).toContain("PC2-CHECKSUM");
      },
    );
    await fc.assert(property, { numRuns });
  },
  propertyTimeout,
);
