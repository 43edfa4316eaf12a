import { lzop } from "../../src/seekable/lzop/lzop.ts";
import { codecSuite } from "./codec-suite.ts";

const tool = (...options: string[]) => ({
  command: ["lzop", "-c", ...options],
  hasChecksum: !options.includes("-F"),
  joins: true,
});

codecSuite(lzop, [tool(), tool("-1", "-C"), tool("-9", "-C", "--crc32"), tool("-F")]);
