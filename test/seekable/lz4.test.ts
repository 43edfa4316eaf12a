import { lz4 } from "../../src/seekable/lz4/lz4.ts";
import { codecSuite } from "./codec-suite.ts";

const tool = (...options: string[]) => ({
  command: ["lz4", "-qc", ...options],
  hasChecksum: !options.includes("-l") && !options.includes("--no-frame-crc"),
  isOpenEnded: options.includes("-l"),
  joins: true,
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
