import { expect, test } from "bun:test";
import { example } from "../../fixtures-gen/examples.ts";
import { sealHeader, V2_HEADER, V2_HEADER_SIZE } from "../../fixtures-gen/partclone-v2.ts";
import { put } from "../../fixtures-gen/struct.ts";
import { layOutImage, reviveImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { memorySource } from "../memory-source.ts";

/** The image's first stored block has other bytes in each read but the first. */
function fickle(source: ByteSource, at: number): ByteSource {
  let reads = 0;
  return {
    ...source,
    async read(into, from) {
      await source.read(into, from);
      const isThere = from <= at && at < from + into.length;
      if (isThere && ++reads > 1) into[at - from] = (into[at - from] ?? 0) ^ 1;
    },
  };
}

test("a strip that one thread finds bad is bad for all, whatever another finds", async () => {
  const { image, stored } = example("v2-crc32");
  const [first] = stored;
  if (!first) throw new Error("nothing is stored");
  const sound = memorySource(image);
  const { shared } = await layOutImage(sound, { verify: true });
  const source = fickle(sound, first.imageOffset);
  const [one, other] = [await reviveImage(source, shared), await reviveImage(source, shared)];
  const read = (each: typeof one) =>
    new BlockIO(each).read(new Uint8Array(1), first.block * each.blockSize);
  const both = await Promise.allSettled([read(one), read(other)]);
  expect(both.some(({ status }) => status === "rejected")).toBe(true);
  for (const each of [one, other]) {
    const again = read(each);
    expect(again).rejects.toThrow("differs");
    await again.catch(() => {});
  }
});

/** What is told of each read of `source` may keep it waiting. */
function watched(source: ByteSource, onRead: (from: number, end: number) => unknown): ByteSource {
  return {
    ...source,
    async read(into, from) {
      await onRead(from, from + into.length);
      await source.read(into, from);
    },
  };
}

test.each(["v2-crc32", "v2-crc32-no-reseed", "v2-xxh128"] as const)(
  "%s: strips that can be read do not wait for one that cannot yet",
  async (name) => {
    const { image, strips, stored } = example(name);
    const far = strips[2];
    if (!far) throw new Error("there are too few strips");
    const { promise: isThere, resolve } = Promise.withResolvers<void>();
    const source = watched(memorySource(image), (_, end) => end > far.imageOffset && isThere);
    const { shared } = await layOutImage(memorySource(image), { verify: true });
    const io = new BlockIO(await reviveImage(source, shared));
    const readAt = (imageOffset: number) => {
      const block = stored.find((each) => each.imageOffset >= imageOffset)?.block ?? 0;
      return io.read(new Uint8Array(1), block * io.image.blockSize);
    };
    const waiting = readAt(far.imageOffset);
    expect(await readAt(0)).toBe(1);
    expect(await readAt(strips[1]?.imageOffset ?? 0)).toBe(1);
    resolve();
    expect(await waiting).toBe(1);
  },
);

test("a strip is proved once, however many wait for it", async () => {
  const { image, strips } = example("v2-xxh64");
  const [first] = strips;
  if (!first) throw new Error("nothing is stored");
  let proofs = 0;
  const source = watched(memorySource(image), (from) => {
    if (from === first.checksumOffset) proofs++;
  });
  const { shared } = await layOutImage(memorySource(image), { verify: true });
  const io = new BlockIO(await reviveImage(source, shared));
  await Promise.all([0, 1, 2].map(() => io.read(new Uint8Array(1), 0)));
  expect(proofs).toBe(1);
});

test("a header that claims more strips than anybody can remember is refused", async () => {
  const header = example("v2-bitmap-none").image.slice(0, V2_HEADER_SIZE);
  const [totalBlocks, deviceSize] = [2 ** 44, 2 ** 50];
  put(header, V2_HEADER, { totalBlocks, deviceSize, blockSize: 1, blocksPerChecksum: 1 }, "little");
  sealHeader(header, "little");
  // Of compressed data nobody knows the size before their end.
  const source = { ...memorySource(header), size: Infinity };
  const stream = new SourceStream(memorySource(header));
  const layingOut = layOutImage(source, { verify: "until-proved" }, stream);
  expect(layingOut).rejects.toMatchObject({ name: "ImageBackupError", code: "UNSUPPORTED" });
  await layingOut.catch(() => {});
});
