import { describe, expect, test } from "bun:test";
import { brokenImage } from "../../fixtures-gen/breaks.ts";
import { type ExampleName, example } from "../../fixtures-gen/examples.ts";
import { readFormatRules } from "../../src/conformance/spec-pages.ts";
import { isMust } from "../../src/conformance/verdict.ts";
import { brokenIn, reportOn } from "./judged.ts";

describe.each(readFormatRules().map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test("its accepted example passes it", async () => {
    const { verdicts } = await reportOn(example(rule.fields.get("accepted") as ExampleName).image);
    const own = verdicts.find((each) => each.rule.id === id);
    expect(own?.verdict).toEqual({ status: "pass" });
  });

  test("its break fails it, and nothing else but named consequences", async () => {
    const broken = brokenImage(id);
    if (!broken) throw new Error("the rule has no break");
    // Examples that are not of file systems hold none, and say so.
    const before = brokenIn(await reportOn(broken.fixture.image));
    expect(before.filter((rule) => !rule.startsWith("FSS-"))).toEqual([]);
    const report = await reportOn(broken.image);
    const found = brokenIn(report);
    expect(found).toContain(id);
    expect([...before, id, ...broken.also]).toEqual(expect.arrayContaining(found));
    const others = found.filter((other) => !before.includes(other));
    const rules = readFormatRules().filter((each) => others.includes(each.id));
    expect(report.conforms).toBe(!rules.some(isMust));
  });

  test("its break is read as its page says", async () => {
    const { verdicts } = await reportOn(brokenImage(id)?.image ?? new Uint8Array());
    const { verdict } = verdicts.find((each) => each.rule.id === id) ?? {};
    const reading = verdict?.status === "fail" ? verdict.failures[0]?.reading : null;
    expect(reading as string).toBe(rule.fields.get("reading") ?? "");
  });
});
