import { expect } from "bun:test";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { lz4 } from "../../src/seekable/lz4/lz4.ts";
import { WrongChecksum } from "../../src/seekable/malformed.ts";
import { memorySource } from "../memory-source.ts";
import { testWith } from "../require.ts";
import { codecSuite, compressed } from "./codec-suite.ts";
import { indexed } from "./indexed.ts";
import { fill } from "./nasty.ts";

const tool = (...options: string[]) => ({
  command: ["lz4", "-qc", ...options],
  hasChecksum: !options.includes("-l") && !options.includes("--no-frame-crc"),
  isOpenEnded: options.includes("-l"),
  joins: true,
});

testWith(["lz4"], "a pass that a frame's checksum ends voids what it told", async () => {
  const content = fill([{ kind: "noise", length: 500_000, seed: 1 }]);
  const bytes = Uint8Array.from(compressed(tool("-B4", "-BI"), content));
  bytes[1000] = (bytes[1000] as number) ^ 1;
  const error = await indexed(lz4, memorySource(bytes), 100_000).catch((thrown) => thrown);
  expect(error).toBeInstanceOf(ImageBackupError);
  expect(error.code).toBe("CORRUPT");
  expect(error.cause).toBeInstanceOf(WrongChecksum);
});

codecSuite(lz4, [
  tool(),
  tool("-B4"),
  tool("-B4", "-BD"),
  tool("-9", "-B4", "-BD", "-BX"),
  tool("-B5", "-BX", "--content-size"),
  tool("-B4", "-BD", "--no-frame-crc"),
  tool("-l"),
]);
