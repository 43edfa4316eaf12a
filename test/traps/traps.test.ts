import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cutTo, flip, last } from "../../fixtures-gen/break.ts";
import { build } from "../../fixtures-gen/build.ts";
import { type ExampleName, example, exampleParams } from "../../fixtures-gen/examples.ts";
import type { Fixture, FixtureParams } from "../../fixtures-gen/fixture.ts";
import { sealHeader, V2_HEADER } from "../../fixtures-gen/partclone-v2.ts";
import { put } from "../../fixtures-gen/struct.ts";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { checkImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import { openStream } from "../../src/source/open-stream.ts";
import {
  byTitle,
  type ImageForm,
  imageForms,
  openAsMounted,
  plain,
  writeImage,
} from "../image-forms.ts";
import { run } from "../real/stage.ts";
import { testWith } from "../require.ts";

/** Images on which other tools fell: each test has the name of the trap. */

setDefaultTimeout(60_000);
const scratch = mkdtempSync(join(tmpdir(), "vpartclone-traps-"));
afterAll(() => rmSync(scratch, { recursive: true }));

interface Reader {
  rulesBroken(image: Uint8Array): Promise<string[]>;
  /** What reads it as a mount does, until it is disposed of. */
  opened(image: Uint8Array): Promise<AsyncDisposable & { readonly io: BlockIO }>;
  expectPartition(fixture: Fixture): Promise<void>;
}

function readerOf(form: ImageForm): Reader {
  const written = (image: Uint8Array) => writeImage(form, scratch, "image", image);
  const opened: Reader["opened"] = async (image) => {
    const { image: laidOut } = await openAsMounted(written(image));
    const dispose = () => laidOut.source[Symbol.asyncDispose]();
    return { io: new BlockIO(laidOut), [Symbol.asyncDispose]: dispose };
  };
  return {
    opened,
    async rulesBroken(image) {
      await using stream = await openStream(written(image));
      return (await checkImage(stream)).findings.map(({ rule }) => rule);
    },
    async expectPartition({ image, deviceSize, partition }) {
      await using reader = await opened(image);
      const bytes = await reader.io.readData(0, Infinity);
      expect(bytes.length).toBe(deviceSize);
      expect(Buffer.compare(bytes, partition)).toBe(0);
    },
  };
}

const v2 = exampleParams["v2-crc32"];

/** Does partclone 0.3.23's own checker pass the image? `null` for a version that may be better. */
function passesChkimg(image: Uint8Array): boolean | null {
  if (!run(["partclone.chkimg", "--version"]).output.includes("0.3.23")) return null;
  const path = join(scratch, "image");
  writeFileSync(path, image);
  return (
    run(["partclone.chkimg", "-f0", "-B", "-L", join(scratch, "log"), "-s", path]).status === 0
  );
}

/** Of an image cut to `size` each block reads as in the partition, or fails. */
async function expectNoLies({ opened }: Reader, fixture: Fixture, size: number): Promise<void> {
  await using reader = await opened(cutTo(fixture, size));
  const { blockSize, partition, stored } = fixture;
  for (let at = 0; at < partition.length; at += blockSize) {
    const bytes = await reader.io.readData(at, blockSize).catch((error: unknown) => {
      expect(error).toBeInstanceOf(ImageBackupError);
      return null;
    });
    const truth = partition.subarray(at, at + blockSize);
    if (bytes) expect(Buffer.compare(bytes, truth)).toBe(0);
    const place = stored.find(({ block }) => block * blockSize === at);
    if (place && place.imageOffset + place.length > size) expect(bytes).toBeNull();
  }
}

describe.each(byTitle(imageForms))("%s:", (_, form) => {
  const reader = readerOf(form);
  const { rulesBroken, opened, expectPartition } = reader;
  // A compressed one is indexed anew each time.
  const step = form.compress ? 6007 : 389;

  describe("partclone.chkimg passes a corrupt last, short strip", () => {
    const shapes: Readonly<Record<string, FixtureParams>> = {
      "used count a multiple of its buffer: 3328 blocks of 4 KiB, 2560 per checksum": {
        ...v2,
        ...{ blockSize: 4096, runs: [1000, 40, 2328], blocksPerChecksum: 2560 },
      },
      "last read a multiple of the blocks per checksum: 266 blocks, 10 per checksum": {
        ...v2,
        ...{ blockSize: 4096, runs: [266], blocksPerChecksum: 10 },
      },
    };
    describe.each(Object.entries(shapes))("%s", (_title, params) => {
      const fixture = build(params);
      const { checksumOffset, imageOffset } = last(fixture.strips);
      const corrupt = {
        "a byte of the last block differs": flip(fixture, checksumOffset - 1),
        "a byte of the strip's first block differs": flip(fixture, imageOffset),
        "its checksum differs": flip(fixture, checksumOffset),
        "its checksum is missing": cutTo(fixture, checksumOffset),
      };
      test.each(Object.entries(corrupt))("%s", async (title, image) => {
        const rule = title.endsWith("missing") ? "PC2-DATA-COMPLETE" : "PC2-CHECKSUM";
        expect(await rulesBroken(image)).toEqual([rule]);
      });
      if (form !== plain) return;
      testWith(["partclone.chkimg"], "so does partclone.chkimg 0.3.23", () => {
        const passed = Object.values(corrupt).map(passesChkimg);
        expect(passed.every((each) => each !== false)).toBe(true);
      });
    });
  });

  describe("version 0001 with a device longer than its blocks: partclone.restore makes it too short", () => {
    test.each([1, 512, 4096, 5000])("by %d bytes", async (tail) => {
      await expectPartition(build({ ...exampleParams["v1-plain"], tail }));
    });
  });

  describe("partclone-nbd", () => {
    const long = { ...v2, blockSize: 4096, runs: [30, 40, 300, 17, 9, 100, 513, 64] };

    test("random reads of 64 KiB that begin in a hole and cross a checksum", async () => {
      for (const blocksPerChecksum of [1, 10, 256]) {
        const fixture = build({ ...long, blocksPerChecksum });
        await using reader = await opened(fixture.image);
        const holes = [...fixture.present.keys()].filter((block) => fixture.present[block] === 0);
        for (let round = 0; round < 200; round++) {
          const block = holes[(round * 37) % holes.length] ?? 0;
          const at = block * 4096 + ((round * 517) % 4096);
          const expected = fixture.partition.subarray(at, at + 65536);
          expect(Buffer.compare(await reader.io.readData(at, 65536), expected)).toBe(0);
        }
      }
    });

    test("checksum mode none divides by zero", async () => {
      for (const blocksPerChecksum of [0, 8]) {
        const params = { ...long, checksumMode: "none", blocksPerChecksum } as const;
        await expectPartition(build(params));
      }
    });

    test("Btrfs with blocks of 16 KiB is refused", async () => {
      await expectPartition(
        build({ ...long, blockSize: 16384, fsType: "BTRFS", runs: [20, 9, 30] }),
      );
    });
  });

  describe("partclone-utils", () => {
    test("a byte of 2 in the map of version 0001 counts as present", async () => {
      const fixture = example("v1-other-values");
      expect(fixture.image).toContain(2);
      await expectPartition(fixture);
      await expectPartition(example("v2-other-values"));
    });

    test("an image shorter than 4160 bytes is refused", async () => {
      const fixture = build({ ...v2, blockSize: 512, runs: [3, 100] });
      expect(fixture.image.length).toBeLessThan(4160);
      await expectPartition(fixture);
    });

    test("the NTFS tail is cut off", async () => {
      await expectPartition(example("v1-ntfs-tail"));
      await expectPartition(example("v2-ntfs-tail"));
    });
  });

  test("clonezilla-util: total blocks a multiple of 8 shift the data by a byte", async () => {
    for (const total of [8, 16, 64, 1024, 63, 65]) {
      for (const bitmapMode of ["bits", "bytes"] as const) {
        await expectPartition(build({ ...v2, bitmapMode, runs: [3, 2, total - 5] }));
      }
    }
  });

  describe("pypartclone", () => {
    test("more used blocks by the superblock than by the bitmap are refused", async () => {
      for (const name of ["v2-used-superblock-higher", "v2-used-superblock-too-high"] as const) {
        await expectPartition(example(name));
      }
    });

    test("an NTFS tail with total blocks a multiple of 8 gives EIO", async () => {
      const params = { ...exampleParams["v2-ntfs-tail"], runs: [5, 3], tail: 512 };
      const fixture = build(params);
      expect(fixture.blockCount % 8).toBe(0);
      await expectPartition(fixture);
      await using reader = await opened(fixture.image);
      const tail = await reader.io.readData(fixture.deviceSize - 512, 512);
      expect(Buffer.compare(tail, new Uint8Array(512))).toBe(0);
    });

    const kinds: readonly ExampleName[] = [
      "v1-plain",
      "v2-crc32",
      "v2-none",
      "v2-xxh128",
      "ntfs-10.1",
    ];
    test.each(kinds)("a truncated image returns wrong data without an error: %s", async (name) => {
      const fixture = example(name);
      const start = Math.min(...fixture.stored.map(({ imageOffset }) => imageOffset));
      for (let size = start; size < fixture.image.length; size += step)
        await expectNoLies(reader, fixture, size);
    });

    test.each(["ntfs-10.1", "ntfs-10.0", "ntfs-metadata"] as const)(
      "truncated files of ntfsclone pass the check: %s",
      async (name) => {
        const { image } = example(name);
        for (let size = 56; size < image.length; size += 61) {
          expect(await rulesBroken(image.subarray(0, size))).toContain("NTC-DATA-COMPLETE");
        }
      },
    );
  });

  describe("the format's documentation says checksum modes 0, 1 and 2", () => {
    test.each(["v2-crc32", "v2-xxh64", "v2-xxh128"] as const)(
      "%s is read and proved",
      async (name) => {
        const fixture = example(name);
        const modes = { crc32: 0x20, xxh64: 0x30, xxh128: 0x31, none: 0 } as const;
        const { checksumMode } = exampleParams[name];
        expect(fixture.image[V2_HEADER.checksumMode[0]]).toBe(modes[checksumMode]);
        expect(await rulesBroken(fixture.image)).toEqual([]);
        await expectPartition(fixture);
      },
    );

    test.each([1, 2, 0x10, 0x21, 0x32])(
      "mode %d is none that images have",
      async (checksumMode) => {
        const { image } = example("v2-crc32");
        put(image, V2_HEADER, { checksumMode }, "little");
        sealHeader(image, "little");
        const refused = { code: "CORRUPT", rule: "PC2-CHECKSUM-MODE" };
        await expect(opened(image)).rejects.toMatchObject(refused);
      },
    );
  });
});
