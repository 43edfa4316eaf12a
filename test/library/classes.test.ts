import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { anyImage } from "../../fixtures-gen/arbitraries.ts";
import { type ExampleName, example, exampleNames } from "../../fixtures-gen/examples.ts";
import {
  BlockIO,
  type ErrorCode,
  ImageBackupError,
  type ImageInput,
  NtfsClone,
  openImage,
  openStream,
  PartClone,
} from "../../src/index.ts";
import { memorySource } from "../memory-source.ts";
import { numRuns, propertyTimeout } from "../property/runs.ts";
import {
  bitmapOf,
  expectedBlocks,
  isReadable,
  openAs,
  pipeOf,
  usedBlocks,
} from "./ground-truth.ts";

const scratch = mkdtempSync(join(tmpdir(), "vpartclone-library-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(scratch, name);
  writeFileSync(path, bytes);
  return path;
}

const readable = exampleNames.map(example).filter(isReadable);

test(
  "everything an image tells is so",
  async () => {
    const property = fc.asyncProperty(anyImage(), async (fixture) => {
      fc.pre(isReadable(fixture));
      await using image = await openAs(fixture, memorySource(fixture.image));
      const { blockSize, blockCount, deviceSize } = fixture;
      expect(image.blockSize).toBe(blockSize);
      expect(image.totalBlocks).toBe(blockCount);
      expect(image.deviceSize).toBe(deviceSize);
      expect(image.totalSize).toBe(deviceSize);
      expect(image.usedBlocks).toBe(usedBlocks(fixture));
      expect(Buffer.compare(image.bitmap, bitmapOf(fixture))).toBe(0);
      const places = new Map(fixture.stored.map(({ block, imageOffset }) => [block, imageOffset]));
      for (let block = 0; block < blockCount; block++) {
        expect(image.blockInUse(block)).toBe(places.has(block));
        expect(image.blockOffset(block)).toBe(places.get(block) ?? null);
      }
      for (const outside of [-1, blockCount, 0.5, Number.NaN, Infinity]) {
        expect(() => image.blockInUse(outside)).toThrow(ImageBackupError);
        expect(() => image.blockOffset(outside)).toThrow("is not one of");
      }
    });
    await fc.assert(property, { numRuns: numRuns / 4 });
  },
  propertyTimeout,
);

test.each(readable.map((fixture) => [fixture.name, fixture] as const))(
  "%s: the names",
  async (name, fixture) => {
    await using image = await openImage(memorySource(fixture.image));
    const isNtfs = fixture.format === "ntfsclone";
    expect(image.tool).toBe(isNtfs ? "ntfsclone" : "partclone");
    expect(image).toBeInstanceOf(isNtfs ? NtfsClone : PartClone);
    expect(image.fsType).toBe("fsType" in fixture.params ? fixture.params.fsType : "NTFS");
    expect(image.format).toMatch(isNtfs ? /^ntfsclone \d+\.\d+$/ : /^partclone 000[12]$/);
    expect(image.toString()).toStartWith(
      isNtfs ? "Ntfsclone Header\n===" : "Partclone Header\n===",
    );
    const rules = image.findings.map(({ rule }) => rule);
    expect(rules.toSorted()).toEqual(fixture.breaks.toSorted());
    expect(`${name}: ${image}`).toContain("byte order");
  },
);

describe("what an image is opened from", () => {
  const wanted: readonly ExampleName[] = ["v1-plain", "v2-xxh128", "ntfs-10.1", "ntfs-metadata"];
  for (const fixture of wanted.map(example)) {
    const { name, image: bytes } = fixture;
    const inputs = {
      "a path": () => file(name, bytes),
      "a source": () => memorySource(bytes),
      "a compressed file": () => file(`${name}.gz`, gzipSync(bytes)),
      "a stream": () => openStream(file(name, bytes)),
      "a compressed stream": () => openStream(file(`${name}.zst`, zstdCompressSync(bytes))),
      "a pipe": () => pipeOf(bytes),
    };
    test.each(Object.entries(inputs))(`${name}: %s`, async (_title, input) => {
      for (const open of [openImage, (given: ImageInput) => openAs(fixture, given)]) {
        await using image = await open(await input());
        expect(image.deviceSize).toBe(fixture.deviceSize);
        const received: number[] = [];
        await image.blockReader({ onBlock: (deviceOffset) => void received.push(deviceOffset) });
        expect(received).toEqual(expectedBlocks(fixture).map(([deviceOffset]) => deviceOffset));
        expect(image.usedBlocks).toBe(usedBlocks(fixture));
      }
    });
  }

  test("of the other format: not an image of this one", async () => {
    const refused = { code: "NOT_AN_IMAGE" };
    const [ntfs, extfs] = [example("ntfs-10.1").image, example("v2-crc32").image];
    await expect(PartClone.open(memorySource(ntfs))).rejects.toMatchObject(refused);
    await expect(NtfsClone.open(memorySource(extfs))).rejects.toMatchObject(refused);
  });
});

describe("a stream passes once", () => {
  const unsupported = { name: "ImageBackupError", code: "UNSUPPORTED" as ErrorCode };

  test.each(["v2-crc32", "ntfs-10.1"] as const)(
    "%s: no random access, and a clear word",
    async (name) => {
      await using image = await openImage(pipeOf(example(name).image));
      const read = new BlockIO(image).readData(0, 100);
      await expect(read).rejects.toMatchObject(unsupported);
      await expect(read).rejects.toThrow(/pipe or a compressed image/);
      await image.blockReader({ onBlock: () => {} });
      const again = image.blockReader({ onBlock: () => {} });
      await expect(again).rejects.toMatchObject(unsupported);
      await expect(again).rejects.toThrow("passes only once");
    },
  );

  test("ntfsclone: its clusters are known when they have passed", async () => {
    const fixture = example("ntfs-10.1");
    await using image = await openImage(pipeOf(fixture.image));
    expect(() => image.usedBlocks).toThrow("passes only once");
    await image.blockReader({ onBlock: () => {} });
    expect(image.usedBlocks).toBe(usedBlocks(fixture));
    expect(image.toString()).toContain("stored clusters");
  });

  test("partclone: the bitmap comes before the data", async () => {
    const fixture = example("v2-crc32");
    await using image = await openImage(pipeOf(fixture.image));
    expect(Buffer.compare(image.bitmap, bitmapOf(fixture))).toBe(0);
    expect(image.blockOffset(0)).toBe(fixture.stored[0]?.imageOffset ?? null);
  });
});

describe("BlockIO", () => {
  test.each(readable.map((fixture) => [fixture.name, fixture] as const))(
    "%s: any range",
    async (_name, fixture) => {
      await using image = await openImage(memorySource(fixture.image));
      const io = new BlockIO(image);
      const { deviceSize, partition } = fixture;
      const ranges = [
        [0, 1],
        [0, Infinity],
        [100, 42],
        [deviceSize - 7, 100],
        [deviceSize, 5],
        [deviceSize + 9, 5],
        [17, 0],
      ];
      for (const [offset = 0, size = 0] of ranges) {
        const expected = partition.subarray(offset, offset + size);
        expect(Buffer.compare(await io.readData(offset, size), expected)).toBe(0);
      }
    },
  );

  test("offsets that are none", async () => {
    await using image = await openImage(memorySource(example("v2-crc32").image));
    for (const offset of [-1, 0.5, Number.NaN, 2 ** 60]) {
      const read = new BlockIO(image).readData(offset, 10);
      await expect(read).rejects.toMatchObject({ code: "OUT_OF_RANGE" });
    }
  });
});

describe("descriptors", () => {
  const openDescriptors = () => readdirSync("/proc/self/fd").length;
  const sound = example("v2-crc32").image;
  const attempts: Readonly<Record<string, () => Uint8Array>> = {
    "an image": () => sound,
    "a metadata image": () => example("ntfs-metadata").image,
    "a compressed image": () => gzipSync(sound),
    "a compressed metadata image": () => gzipSync(example("ntfs-metadata").image),
    "a truncated compressed image": () => gzipSync(sound).slice(0, 60),
    "no image": () => Buffer.from("Hello!\n"),
    "an empty file": () => new Uint8Array(),
    "a damaged header": () => example("v2-crc32").image.fill(7, 60, 70),
    "a truncated bitmap": () => sound.slice(0, 115),
    "an unknown compression": () => Buffer.from("LZIP\x01".padEnd(100)),
  };

  const use = async (path: string, open: (path: string) => Promise<PartClone | NtfsClone>) => {
    try {
      await using image = await open(path);
      await image.blockReader({ onBlock: () => {} });
    } catch (error) {
      if (!(error instanceof ImageBackupError)) throw error;
    }
  };

  test.each(Object.entries(attempts))(
    "%s: all are closed, whatever comes of it",
    async (_title, bytes) => {
      const path = file("image", bytes());
      const opens = [
        openImage,
        (each: string) => PartClone.open(each),
        (each: string) => NtfsClone.open(each),
      ];
      for (const open of opens) await use(path, open);
      const before = openDescriptors();
      for (let round = 0; round < 5; round++) for (const open of opens) await use(path, open);
      expect(openDescriptors()).toBe(before);
    },
  );
});
