import { bzip2 } from "../../src/seekable/bzip2/bzip2.ts";
import { codecSuite } from "./codec-suite.ts";

const tool = (...command: string[]) => ({ command, hasChecksum: true, joins: true });

codecSuite(bzip2, [
  tool("bzip2", "-9c"),
  tool("bzip2", "-1c"),
  tool("pbzip2", "-1c", "-p2", "-b1"),
]);
