import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { anyImage, anyParams } from "../../fixtures-gen/arbitraries.ts";
import { build } from "../../fixtures-gen/build.ts";
import { example, exampleNames } from "../../fixtures-gen/examples.ts";
import { type Fixture, PRESENT, UNKNOWN } from "../../fixtures-gen/fixture.ts";

const numRuns = Number(process.env.PROPERTY_RUNS ?? 300);

/** Every byte of the image from the first stored one on belongs to one block, checksum or command. */
function expectPiecesToFillTheImage({ image, stored, strips, params }: Fixture): void {
  const pieces = [
    ...stored.map(({ imageOffset, length }) => ({ at: imageOffset, length })),
    ...strips.map(({ checksumOffset, checksumSize }) => ({
      at: checksumOffset,
      length: checksumSize,
    })),
  ].toSorted((a, b) => a.at - b.at || a.length - b.length);
  let end = pieces[0]?.at ?? image.length;
  for (const { at, length } of pieces) {
    // Between ntfsclone's clusters are commands of 1 byte, after gaps of 9.
    if (params.format === "ntfsclone") expect((at - end) % 9).toBeOneOf([0, 1]);
    else expect(at).toBe(end);
    end = at + length;
  }
  if (params.format === "ntfsclone") expect((image.length - end) % 9).toBe(0);
  else expect(end).toBe(image.length);
}

/** The dumb model: copies every stored block to its place, in image order. */
function restore({ image, stored, blockSize, deviceSize }: Fixture): Uint8Array {
  const partition = new Uint8Array(deviceSize);
  for (const { block, imageOffset, length } of stored) {
    partition.set(image.subarray(imageOffset, imageOffset + length), block * blockSize);
  }
  return partition;
}

function expectConsistent(fixture: Fixture): void {
  const { partition, present, stored, blockCount, deviceSize } = fixture;
  expect(partition.length).toBe(deviceSize);
  expect(present.length).toBe(blockCount);
  expect(Buffer.compare(restore(fixture), partition)).toBe(0);
  const storedBlocks = new Set(stored.map(({ block }) => block));
  for (const [block, value] of present.entries()) {
    if (value !== UNKNOWN) expect(storedBlocks.has(block)).toBe(value === PRESENT);
  }
  expectPiecesToFillTheImage(fixture);
}

test("same params, same bytes, and params survive JSON", () => {
  fc.assert(
    fc.property(anyParams(), (params) => {
      const once = build(params);
      const again = build(JSON.parse(JSON.stringify(params)));
      expect(Buffer.compare(again.image, once.image)).toBe(0);
      expect(Buffer.compare(again.partition, once.partition)).toBe(0);
    }),
    { numRuns },
  );
});

test("a fixture's parts agree with one another", () => {
  fc.assert(fc.property(anyImage(), expectConsistent), { numRuns });
});

test("the generator reaches every variant", () => {
  const fixtures = fc.sample(anyImage(), { seed: 1, numRuns: 2000 });
  const seen = new Set(fixtures.flatMap(({ breaks }) => breaks));
  expect([...seen].toSorted()).toEqual([
    "NTC-BACKUP-BOOT",
    "NTC-BOOT-SECTOR",
    "NTC-IN-USE",
    "NTC-ORDER",
    "PC1-BYTE-MAP-VALUES",
    "PC1-CHECKSUM-WIDTH",
    "PC1-USED-COUNT",
    "PC2-BIG-ENDIAN-TAIL",
    "PC2-BYTE-MAP-VALUES",
    "PC2-STRAY-BITS",
    "PC2-USED-BITMAP",
    "PC2-USED-SUPERBLOCK",
  ]);
  const values = (key: string) =>
    new Set(fixtures.map(({ params }) => (params as unknown as Record<string, unknown>)[key]));
  expect(values("checksumMode").size).toBe(5);
  expect(values("bitmapMode").size).toBe(4);
  expect(values("cpuBits").size).toBe(3);
});

describe.each(exampleNames.map((name) => [name] as const))("example %s", (name) => {
  test("is built, the same each time, and consistent", () => {
    const fixture = example(name);
    expect(fixture.name).toBe(name);
    expect(Buffer.compare(example(name).image, fixture.image)).toBe(0);
    expectConsistent(fixture);
  });
});
