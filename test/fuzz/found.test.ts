/** What the fuzzer found, each as the smallest image that shows it. */
import { expect, test } from "bun:test";
import { build } from "../../fixtures-gen/build.ts";
import { exampleParams } from "../../fixtures-gen/examples.ts";
import { sealHeader, V2_HEADER } from "../../fixtures-gen/partclone-v2.ts";
import { put } from "../../fixtures-gen/struct.ts";
import { layOutImage } from "../../src/formats.ts";
import { partitionFile } from "../../src/fuse/partition-file.ts";
import { memorySource } from "../memory-source.ts";

const STATUS = { mode: 0o444n, uid: 0n, gid: 0n, atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n };

test("blocks stored past the device's end are no data for SEEK_DATA", async () => {
  const { image, blockCount, blockSize } = build({
    ...exampleParams["v2-crc32"],
    runs: [3, 100, 3],
  });
  const deviceSize = (blockCount - 3) * blockSize;
  put(image, V2_HEADER, { deviceSize }, "little");
  sealHeader(image, "little");
  const laidOut = await layOutImage(memorySource(image));
  const file = partitionFile(laidOut.image, "p", STATUS);
  expect(file.nextData(65536)).toBeNull();
  expect(file.nextHole(65536)).toBe(65536);
});
