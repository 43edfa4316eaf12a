import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { compareAll } from "./compare.ts";
import { explanations } from "./explanations.ts";
import { byExplanation } from "./page.ts";

/** The examples, the breaks, and some mutants. */
const COUNT = 200;
const TIMEOUT = 300_000;
const scratch = mkdtempSync(join(tmpdir(), "differential-"));
afterAll(() => rmSync(scratch, { recursive: true }));

/** Other versions may refuse more, or less. */
const areDescribed = () =>
  run(["partclone.restore", "--version"]).output.includes("0.3.23") &&
  run(["ntfsclone", "--version"]).output.includes("2022.10.3");

testWith(
  ["partclone.chkimg", "partclone.restore", "ntfsclone", "prlimit"],
  `of ${COUNT} images, every answer of the real tools is ours or is explained`,
  async () => {
    if (!areDescribed()) return;
    const comparison = await compareAll(2026, COUNT, scratch, 48);
    expect(comparison.images).toBe(COUNT);
    const unexplained = byExplanation(comparison).get(null) ?? [];
    expect(unexplained.map(({ case: { name }, tool, kind }) => [name, tool, kind])).toEqual([]);
  },
  TIMEOUT,
);

describe("spec/differences.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../../spec/differences.md"), "utf8");

  test("has a section for each explanation, in its words", () => {
    const titles = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title ?? "");
    expect(titles).toEqual(explanations.map(({ title }) => title));
    for (const { right, why } of explanations) {
      expect(page).toContain(`- who is right: ${right}\n`);
      expect(page).toContain(why);
    }
  });

  test("comes from a run of at least 5,000 images", () => {
    const [, images = ""] = /asked of ([\d,]+) images/.exec(page) ?? [];
    expect(Number(images.replaceAll(",", ""))).toBeGreaterThanOrEqual(5000);
  });
});
