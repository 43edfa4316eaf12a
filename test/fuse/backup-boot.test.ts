import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { backupBootSector, patched } from "../../src/fuse/backup-boot.ts";
import { HOLE_GRAIN, partitionFile } from "../../src/fuse/partition-file.ts";
import type { Image } from "../../src/image/image.ts";
import { memorySource } from "../memory-source.ts";

const STATUS = { mode: 0o100640n, uid: 5n, gid: 6n, atimeNs: 1n, mtimeNs: 2n, ctimeNs: 3n };
const SECTOR = 512;

/** A volume of sectors that say where they are, beginning with an NTFS boot sector. */
function volume(bytes: number, sectors: number): Uint8Array {
  const content = Uint8Array.from({ length: bytes }, (_, i) => 1 + (i % 251));
  const boot = Buffer.from(content.buffer, 0, SECTOR);
  boot.write("NTFS    ", 3, "latin1");
  boot.writeUInt16LE(SECTOR, 11);
  boot.writeBigUInt64LE(BigInt(sectors), 40);
  return content;
}

/** The image of a partition that stores the blocks that `isStored` tells of, at their own places. */
function imageOf(
  content: Uint8Array,
  blockSize: number,
  blockCount: number,
  isStored: (block: number) => boolean,
): Image {
  return {
    ...{ format: "test", fsType: "NTFS", deviceSize: content.length, blockSize, blockCount },
    storedBlocks: 1,
    source: memorySource(content),
    runAt(block) {
      const place = { imageOffset: block * blockSize, untilGap: 1, gapEvery: 1, gapBytes: 0 };
      return { block, count: 1, stored: isStored(block) ? place : null };
    },
  };
}

const patchedFile = async (image: Image) => {
  const file = partitionFile(image, "c", STATUS);
  const patch = await backupBootSector(image, file);
  return patch === null ? file : patched(file, patch);
};

/** All of a file, read in pieces of `size`. */
async function contentOf(file: Awaited<ReturnType<typeof patchedFile>>, size: number) {
  const content = new Uint8Array(file.size);
  for (let at = 0; at < file.size; at += size) await file.read(content.subarray(at, at + size), at);
  return content;
}

const shapes = fc.record({
  blockSize: fc.constantFrom(512, 1024, 4096, 65536),
  blocks: fc.integer({ min: 2, max: 30 }),
  beyond: fc.integer({ min: SECTOR, max: 3 * SECTOR }),
  place: fc.nat(),
  holes: fc.array(fc.nat(30)),
  size: fc.integer({ min: 500, max: 200_000 }),
});

test("FUS-BACKUP-BOOT accepts a copy in a hole: those bytes change, and no other", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ blockSize, blocks, beyond, place, holes, size }) => {
      const bytes = blocks * blockSize + beyond;
      const sectors = 1 + (place % (Math.floor(bytes / SECTOR) - 1));
      const content = volume(bytes, sectors);
      const at = sectors * SECTOR;
      const isHole = new Set([...holes.filter((block) => block > 0), Math.floor(at / blockSize)]);
      // A boot sector's block that is not stored is no boot sector.
      isHole.delete(0);
      const isStored = (block: number) => !isHole.has(block);
      const file = await patchedFile(imageOf(content, blockSize, blocks, isStored));
      const expected = content.map((byte, i) =>
        i < blocks * blockSize && isStored(Math.floor(i / blockSize)) ? byte : 0,
      );
      const isPatched = at >= blocks * blockSize || !isStored(Math.floor(at / blockSize));
      if (isPatched) expected.set(content.subarray(0, SECTOR), at);
      expect(Buffer.compare(await contentOf(file, size), expected)).toBe(0);
    }),
  );
});

test("FUS-BACKUP-BOOT accepts that it is data to a client that skips holes", async () => {
  await fc.assert(
    fc.asyncProperty(shapes, async ({ blockSize, blocks, beyond, holes }) => {
      const bytes = blocks * blockSize + beyond;
      const sectors = Math.floor(bytes / SECTOR) - 1;
      const content = volume(bytes, sectors);
      const isHole = new Set(holes.filter((block) => block > 0));
      const file = await patchedFile(
        imageOf(content, blockSize, blocks, (block) => !isHole.has(block)),
      );
      const whole = await contentOf(file, bytes);
      const copied = new Uint8Array(bytes);
      for (let at = file.nextData(0); at !== null; ) {
        const end = file.nextHole(at);
        expect(end).toBeGreaterThan(at);
        expect(end === bytes || end % HOLE_GRAIN === 0).toBe(true);
        await file.read(copied.subarray(at, end), at);
        at = end < bytes ? file.nextData(end) : null;
      }
      expect(Buffer.compare(copied, whole)).toBe(0);
    }),
  );
});

describe("FUS-BACKUP-BOOT rejects", () => {
  const content = volume(64 * SECTOR, 63);

  test("a place that is stored: it stays as it is", async () => {
    const image = imageOf(content, SECTOR, 64, () => true);
    expect(await backupBootSector(image, partitionFile(image, "c", STATUS))).toBeNull();
  });

  test.each([
    ["no boot sector of NTFS", content.slice().fill(0, 0, SECTOR), "whose boot sector is not one"],
    ["a place past the partition", volume(64 * SECTOR, 64), "place is not in the partition"],
    ["a place that is the boot sector", volume(64 * SECTOR, 0), "place is not in the partition"],
    ["a partition of no size", content.subarray(0, 100), "the partition has no boot sector"],
  ])("%s", async (_, bytes, why) => {
    const image = imageOf(bytes, SECTOR, Math.floor(bytes.length / SECTOR), () => true);
    expect(patchedFile(image)).rejects.toThrow(why);
  });
});
