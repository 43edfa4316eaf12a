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

  test("its break fails it, and nothing else", async () => {
    const broken = brokenImage(id);
    if (!broken) throw new Error("the rule has no break");
    const report = await reportOn(broken.image);
    expect(brokenIn(report)).toEqual([id]);
    expect(report.conforms).toBe(!isMust(rule));
  });

  test("its break is read as its page says", async () => {
    const { verdicts } = await reportOn(brokenImage(id)?.image ?? new Uint8Array());
    const { verdict } = verdicts.find((each) => each.rule.id === id) ?? {};
    const reading = verdict?.status === "fail" ? verdict.failures[0]?.reading : null;
    expect(reading as string).toBe(rule.fields.get("reading") ?? "");
  });
});
