import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ChecksumMode } from "../../fixtures-gen/fixture.ts";
import { encodeV1 } from "../../fixtures-gen/partclone-v1.ts";
import { encodeV2 } from "../../fixtures-gen/partclone-v2.ts";

/** The golden images are of one volume: 256 blocks of 1 KiB, as partclone itself wrote them. */
const BLOCKS = 256;
const BLOCK_SIZE = 1024;
const DEVICE_SIZE = BLOCKS * BLOCK_SIZE;
const BITMAP_AT = 110;
const DATA_AT = BITMAP_AT + BLOCKS / 8 + 4;

function golden(name: string): Uint8Array {
  return readFileSync(join(import.meta.dirname, "..", "golden", `${name}.img`));
}

/** Read by hand from the image without checksums, where the blocks follow one another. */
function readVolume() {
  const image = golden("ext4-v2-none");
  const bitmap = image.slice(BITMAP_AT, BITMAP_AT + BLOCKS / 8);
  const present = new Uint8Array(BLOCKS);
  const partition = new Uint8Array(DEVICE_SIZE);
  let at = DATA_AT;
  for (let block = 0; block < BLOCKS; block++) {
    if (((bitmap[block >> 3] ?? 0) & (1 << (block & 7))) === 0) continue;
    present[block] = 1;
    partition.set(image.subarray(at, at + BLOCK_SIZE), block * BLOCK_SIZE);
    at += BLOCK_SIZE;
  }
  return { bitmap, present, partition, used: (at - DATA_AT) / BLOCK_SIZE };
}

const volume = readVolume();
const common = { fsType: "EXTFS", blockSize: BLOCK_SIZE, deviceSize: DEVICE_SIZE };

const V2: readonly [string, ChecksumMode, number, boolean][] = [
  ["ext4-v2-none", "none", 0, true],
  ["ext4-v2-crc32-k256", "crc32", 256, true],
  ["ext4-v2-xxh64-k8", "xxh64", 8, true],
  ["ext4-v2-xxh128-k8", "xxh128", 8, true],
  ["ext4-v2-xxh128-k8-noreseed", "xxh128", 8, false],
];

test.each(V2)("the encoder makes %s byte for byte", (name, mode, blocksPerChecksum, reseed) => {
  const { image } = encodeV2({
    ...common,
    ...volume,
    toolVersion: "0.3.47",
    byteOrder: "little",
    cpuBits: 64,
    usedSuperblock: volume.used,
    usedBitmap: volume.used,
    checksumMode: mode,
    blocksPerChecksum,
    reseed,
    bitmapMode: "bits",
  });
  expect(Buffer.compare(image, golden(name))).toBe(0);
});

test("the encoder makes ext4-v1-crc32 byte for byte", () => {
  const { present: byteMap, partition, used } = volume;
  const contents = { ...common, usedBlocks: used, byteMap, partition };
  const { image } = encodeV1({ ...contents, padding: () => new Uint8Array(0) });
  expect(Buffer.compare(image, golden("ext4-v1-crc32"))).toBe(0);
});
