import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { conform } from "../../src/conformance/conform.ts";
import { readFormatRules } from "../../src/conformance/spec-pages.ts";
import { isMust } from "../../src/conformance/verdict.ts";
import { openFile } from "../../src/source/file.ts";
import { SourceStream } from "../../src/source/stream.ts";
import { coverage } from "./coverage.ts";
import { brokenIn } from "./judged.ts";

const GOLDEN = join(import.meta.dirname, "..", "golden");
const golden = readdirSync(GOLDEN).filter((name) => name.endsWith(".img"));

test.each(golden)("golden image %s passes every rule", async (name) => {
  await using source = openFile(join(GOLDEN, name));
  const report = await conform(new SourceStream(source), source);
  expect(brokenIn(report)).toEqual([]);
  expect(report.conforms).toBe(true);
});

test("every rule is covered by code, examples and a look at real tools", () => {
  const bare = coverage().filter(({ code, accepted, rejected, judge }) =>
    [code.length, accepted, rejected, judge].some((each) => !each),
  );
  expect(bare).toEqual([]);
});

test("the file system's rules are all SHOULD, as nothing of the format depends on them", () => {
  const sense = readFormatRules().filter(({ id }) => id.startsWith("FSS-"));
  expect(sense.filter(isMust)).toEqual([]);
});
