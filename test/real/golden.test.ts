import { describe, expect } from "bun:test";
import { copyFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { testWith } from "../require.ts";
import { expectSameBytes } from "./compare.ts";
import { ourRestore, partcloneRestore } from "./savers.ts";
import { must, run, scratchDirectory, virtualPartition } from "./stage.ts";

const GOLDEN = resolve(import.meta.dir, "../golden");
const NEEDS = ["root", "/dev/fuse"];
const RESTORE = [...NEEDS, "partclone.restore"];
/** Format 0001 keeps the device's size here. */
const V1_DEVICE_SIZE_AT = 40;

/** What `partclone.restore` 0.3.47, which knows all checksums, makes of each golden image. */
const PARTITIONS = readFileSync(join(GOLDEN, "PARTITION.sha256"), "utf8")
  .trim()
  .split("\n")
  .map((line) => line.split(/ +/) as [sha256: string, size: string, image: string]);

describe("a golden image, mounted", () => {
  for (const [sha256, size, name] of PARTITIONS) {
    testWith([...NEEDS, "e2fsck"], `${name} has the digest of its restore and passes fsck`, () => {
      using stack = new DisposableStack();
      const image = copyOf(stack, name);
      const ours = join(scratchDirectory(stack), "ours");
      must(ourRestore("vpartclone", image, ours));
      expect(must(["sha256sum", ours])).toStartWith(sha256);
      const virtual = virtualPartition(stack, "vpartclone", image);
      expect(basename(virtual)).toBe(basename(name, ".img"));
      expect(statSync(virtual).size).toBe(Number(size));
      expect(must(["sha256sum", virtual])).toStartWith(sha256);
      expect(run(["e2fsck", "-fn", virtual]).status).toBe(0);
    });
  }

  // Debian's partclone restores these; it knows no XXH checksums.
  for (const name of ["ext4-v1-crc32.img", "ext4-v2-none.img", "ext4-v2-crc32-k256.img"]) {
    testWith(RESTORE, `${name} reads as the restore by this machine's partclone`, () => {
      using stack = new DisposableStack();
      expectRestored(stack, copyOf(stack, name), 256 * 1024);
    });
  }

  testWith(RESTORE, "format 0001, whose device is longer than its blocks, ends in zeros", () => {
    using stack = new DisposableStack();
    const image = copyOf(stack, "ext4-v1-crc32.img");
    const size = 256 * 1024 + 512;
    const bytes = readFileSync(image);
    bytes.writeBigUInt64LE(BigInt(size), V1_DEVICE_SIZE_AT);
    writeFileSync(image, bytes);
    expectRestored(stack, image, size);
  });
});

/** Under a path of its own, by which its server can be told from that of other tests. */
function copyOf(stack: DisposableStack, name: string): string {
  const copy = join(scratchDirectory(stack), name);
  copyFileSync(join(GOLDEN, name), copy);
  return copy;
}

function expectRestored(stack: DisposableStack, image: string, size: number): void {
  const restored = join(scratchDirectory(stack), "restored");
  must(partcloneRestore(image, restored));
  // The real restore ends with the last block: a partition would already have its size.
  truncateSync(restored, size);
  const ours = join(scratchDirectory(stack), "ours");
  must(ourRestore("vpartclone", image, ours));
  expectSameBytes(ours, restored);
  const virtual = virtualPartition(stack, "vpartclone", image);
  expect(statSync(virtual).size).toBe(size);
  expectSameBytes(virtual, restored);
}
