import { expect, test } from "bun:test";
import fc from "fast-check";
import { HOLE_GRAIN, partitionFile } from "../../src/fuse/partition-file.ts";
import type { Image } from "../../src/image/image.ts";
import type { ByteSource } from "../../src/source/source.ts";

const STATUS = { mode: 0o100640n, uid: 5n, gid: 6n, atimeNs: 1n, mtimeNs: 2n, ctimeNs: 3n };

const NO_SOURCE: ByteSource = {
  name: "none",
  size: 0,
  read: () => Promise.reject(new Error("nothing is read here")),
  readPieces: () => Promise.reject(new Error("nothing is read here")),
  [Symbol.asyncDispose]: async () => {},
};

interface Shape {
  readonly blockSize: number;
  readonly deviceSize: number;
  readonly blockCount: number;
  /** No run is longer, as an image may stop early. */
  readonly longest: number;
  isStored(block: number): boolean;
  /** Only what stat says comes from it. */
  readonly storedBlocks?: number;
}

/** An image by its map alone; counts the runs it is asked for. */
function imageOf(shape: Shape): { image: Image; asked: () => number } {
  let asked = 0;
  const image: Image = {
    storedBlocks: 0,
    ...shape,
    format: "test",
    fsType: "TEST",
    source: NO_SOURCE,
    runAt(block, limit) {
      asked += 1;
      expect(block).toBeLessThan(shape.blockCount);
      const stored = shape.isStored(block);
      const most = Math.min(limit, shape.longest, shape.blockCount - block);
      let count = 1;
      while (count < most && shape.isStored(block + count) === stored) count += 1;
      const place = { imageOffset: 0, untilGap: count, gapEvery: count, gapBytes: 0 };
      return { block, count, stored: stored ? place : null };
    },
  };
  return { image, asked: () => asked };
}

const shapes = fc
  .record({
    blockSize: fc.constantFrom(512, 1536, 4096, 65536, 262144),
    lengths: fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 12 }),
    first: fc.boolean(),
    longest: fc.constantFrom(1, 7, 64, 100_000),
    beyond: fc.nat(200_000),
  })
  .map(({ blockSize, lengths, first, longest, beyond }) => {
    const map = lengths.flatMap((length, i) =>
      Array<boolean>(length).fill((i % 2 === 0) === first),
    );
    const deviceSize = map.length * blockSize + beyond;
    const isStored = (block: number) => map[block] ?? false;
    return { blockSize, deviceSize, blockCount: map.length, longest, isStored };
  });

/** The grains of a device that are holes, found byte range by byte range. */
function emptyGrains({ blockSize, deviceSize, blockCount, isStored }: Shape): boolean[] {
  const grains = Array<boolean>(Math.ceil(deviceSize / HOLE_GRAIN)).fill(true);
  for (let block = 0; block < blockCount; block++) {
    if (!isStored(block)) continue;
    const last = Math.floor(((block + 1) * blockSize - 1) / HOLE_GRAIN);
    for (let grain = Math.floor((block * blockSize) / HOLE_GRAIN); grain <= last; grain++) {
      grains[grain] = false;
    }
  }
  return grains;
}

function modelSeek(
  grains: readonly boolean[],
  deviceSize: number,
  offset: number,
  empty: boolean,
): number | null {
  for (let grain = Math.floor(offset / HOLE_GRAIN); grain < grains.length; grain++) {
    if (grains[grain] === empty) return Math.max(offset, grain * HOLE_GRAIN);
  }
  return empty ? deviceSize : null;
}

test("FUS-LSEEK accepts holes of whole grains and nothing smaller, as a naive model has them", () => {
  fc.assert(
    fc.property(
      shapes,
      fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 30 }),
      (shape, seeks) => {
        fc.pre(shape.deviceSize > 0);
        const grains = emptyGrains(shape);
        const file = partitionFile(imageOf(shape).image, "p", STATUS);
        for (const [anywhere, empty] of seeks) {
          const offset = anywhere % shape.deviceSize;
          const found = empty ? file.nextHole(offset) : file.nextData(offset);
          expect(found).toBe(modelSeek(grains, shape.deviceSize, offset, empty));
        }
      },
    ),
    { numRuns: Number(process.env.PROPERTY_RUNS ?? 300) },
  );
}, 600_000);

test("FUS-LSEEK rejects a hole of less than 64 KiB, and data after the last stored block", () => {
  const stored = (block: number) => block !== 20 && block < 1000;
  const shape = {
    blockSize: 4096,
    deviceSize: 2 ** 30,
    blockCount: 2 ** 18,
    longest: 2 ** 18,
    isStored: stored,
  };
  const file = partitionFile(imageOf(shape).image, "p", STATUS);
  expect(file.nextHole(0)).toBe(Math.ceil((1000 * 4096) / HOLE_GRAIN) * HOLE_GRAIN);
  expect(file.nextHole(20 * 4096)).toBeGreaterThan(20 * 4096);
  expect(file.nextData(2 ** 29)).toBeNull();
});

/** Data in the first of every 2^20 blocks of 16 TiB, runs of 2^16 blocks at most. */
const HUGE: Shape = {
  blockSize: 4096,
  deviceSize: 2 ** 44,
  blockCount: 2 ** 32,
  longest: 2 ** 16,
  isStored: (block) => block % 2 ** 20 === 0,
  storedBlocks: 2 ** 12,
};

/** The same without walking: only the run's length matters. */
function hugeImage(): { image: Image; asked: () => number } {
  const { image } = imageOf(HUGE);
  let asked = 0;
  const runAt: Image["runAt"] = (block, limit) => {
    asked += 1;
    const inPeriod = block % 2 ** 20;
    const stored = inPeriod === 0;
    const count = Math.min(limit, stored ? 1 : Math.min(2 ** 20 - inPeriod, 2 ** 16));
    const place = { imageOffset: 0, untilGap: 1, gapEvery: 1, gapBytes: 0 };
    return { block, count, stored: stored ? place : null };
  };
  return { image: { ...image, runAt }, asked: () => asked };
}

test("16 TiB of 2^32 blocks: a client that follows the holes costs one walk", () => {
  const { image, asked } = hugeImage();
  const file = partitionFile(image, "p", STATUS);
  const extents: [number, number][] = [];
  for (let at = file.nextData(0); at !== null; ) {
    const end = file.nextHole(at);
    extents.push([at, end]);
    at = end < file.size ? file.nextData(end) : null;
  }
  expect(extents.length).toBe(2 ** 12);
  expect(extents[4095]).toEqual([4095 * 2 ** 32, 4095 * 2 ** 32 + HOLE_GRAIN]);
  expect(asked()).toBeLessThan(3 * 2 ** 16 + 4 * 2 ** 12);
  expect(file.storedBytes).toBe(2 ** 12 * 4096);
});

test("a client that asks every megabyte does not walk the same runs each time", () => {
  const shape = {
    blockSize: 4096,
    deviceSize: 2 ** 32,
    blockCount: 2 ** 20,
    longest: 2 ** 20,
    isStored: (block: number) => block % 2 === 0,
  };
  const { image, asked } = imageOf(shape);
  const file = partitionFile(image, "p", STATUS);
  for (let at = 0; at < file.size; at += 2 ** 20) {
    expect(file.nextData(at)).toBe(at);
    expect(file.nextHole(at)).toBe(file.size);
  }
  // Once for each of 2^16 grains, and a little more where the data ends.
  expect(asked()).toBeLessThan(3 * 2 ** 16);
});

test("size, owner, mode and times are the image's", () => {
  const shape = {
    blockSize: 4096,
    deviceSize: 8192,
    blockCount: 1,
    longest: 1,
    isStored: () => true,
    storedBlocks: 1,
  };
  const file = partitionFile(imageOf(shape).image, "sda1.img", STATUS);
  expect(file).toMatchObject({
    name: "sda1.img",
    size: 8192,
    mode: 0o100640,
    uid: 5,
    gid: 6,
    mtimeNs: 2n,
    storedBytes: 4096,
  });
});

test("reads come from the image, holes as zeros, short at the device's end", async () => {
  const shape = {
    blockSize: 4096,
    deviceSize: 3 * 4096 + 100,
    blockCount: 3,
    longest: 3,
    isStored: (block: number) => block === 1,
  };
  const { image } = imageOf(shape);
  const source: ByteSource = { ...NO_SOURCE, size: 4096, read: async (into) => void into.fill(7) };
  const file = partitionFile({ ...image, source }, "p", STATUS);
  const into = new Uint8Array(20000).fill(9);
  expect(await file.read(into, 0)).toBe(shape.deviceSize);
  expect([into[4095], into[4096], into[8191], into[8192], into[12387], into[12388]]).toEqual([
    0, 7, 7, 0, 0, 9,
  ]);
});
