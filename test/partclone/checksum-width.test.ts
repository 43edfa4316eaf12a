import { expect, test } from "bun:test";
import { build } from "../../fixtures-gen/build.ts";
import { layOutImage } from "../../src/formats.ts";
import { BlockIO } from "../../src/image/block-io.ts";
import { memorySource } from "../memory-source.ts";

const BLOCK = 512;

const imageOf = (checksumSize: 4 | 8) =>
  build({
    ...{ format: "partclone-v1", seed: 3, blockSize: BLOCK, runs: [2], tail: 0, fsType: "EXTFS" },
    ...{ otherValues: false, usedError: 0, checksumSize },
  });

test.each([4, 8] as const)(
  "PC1-CHECKSUM-WIDTH: checksums of %d bytes, cut anywhere: the right bytes or an error",
  async (checksumSize) => {
    const { image, partition, stored } = imageOf(checksumSize);
    // As long as a whole image with checksums of the other width: that is what it passes for.
    const misleading = checksumSize === 8 ? image.length - 8 : null;
    for (let size = stored[0]?.imageOffset ?? 0; size <= image.length; size++) {
      if (size === misleading) continue;
      const laidOut = await layOutImage(memorySource(image.subarray(0, size)));
      const into = new Uint8Array(BLOCK);
      for (const at of [0, BLOCK]) {
        const got = await new BlockIO(laidOut.image).read(into, at).catch(() => null);
        if (got !== null) {
          expect(Buffer.compare(into, partition.subarray(at, at + BLOCK))).toBe(0);
        }
      }
    }
  },
);
