import { zstd } from "../../src/seekable/zstd/zstd.ts";
import { codecSuite } from "./codec-suite.ts";

const tool = (...options: string[]) => ({
  command: ["zstd", "-qc", ...options],
  hasChecksum: !options.includes("--no-check"),
  joins: true,
});

codecSuite(zstd, [
  tool("-1"),
  tool("-3"),
  tool("-3", "--no-check"),
  tool("-6", "--zstd=wlog=10"),
  tool("-3", "--zstd=wlog=14"),
  tool("-9", "--zstd=wlog=16"),
  tool("-19", "--zstd=wlog=12"),
  tool("-19"),
  tool("--fast=5"),
]);
