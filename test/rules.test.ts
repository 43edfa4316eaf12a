import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { brokenImage } from "../fixtures-gen/breaks.ts";
import { type ExampleName, example } from "../fixtures-gen/examples.ts";
import { ImageBackupError } from "../src/bytes/errors.ts";
import { readFormatRules, readSpecRules, type SpecRule } from "../src/conformance/spec-pages.ts";
import { checkImage, layOutImage } from "../src/formats.ts";
import { SourceStream } from "../src/source/stream.ts";
import { memorySource } from "./memory-source.ts";

/** What is said of an image that is too foreign or too short to be looked at further. */
const refusals: Readonly<Record<string, { code: string; rule?: string }>> = {
  "PC1-MAGIC": { code: "NOT_AN_IMAGE" },
  "PC2-MAGIC": { code: "NOT_AN_IMAGE" },
  "NTC-MAGIC": { code: "NOT_AN_IMAGE" },
  "PC1-VERSION": { code: "UNSUPPORTED", rule: "PC1-VERSION" },
  "PC2-VERSION": { code: "UNSUPPORTED", rule: "PC2-VERSION" },
  "PC1-HEADER-COMPLETE": { code: "CORRUPT", rule: "PC1-HEADER-COMPLETE" },
  "PC2-HEADER-COMPLETE": { code: "CORRUPT", rule: "PC2-HEADER-COMPLETE" },
  "NTC-HEADER-COMPLETE": { code: "CORRUPT", rule: "NTC-HEADER-COMPLETE" },
};

async function brokenRules(image: Uint8Array): Promise<string[]> {
  const { findings } = await checkImage(new SourceStream(memorySource(image)));
  return [...new Set(findings.map(({ rule }) => rule))];
}

async function errorOf(promise: Promise<unknown>): Promise<ImageBackupError | null> {
  try {
    await promise;
    return null;
  } catch (error) {
    if (error instanceof ImageBackupError) return error;
    throw error;
  }
}

/** A check looks at the image only; test/conformance/ has the rules about what is in it. */
const checkedRules = readFormatRules().filter(({ id }) => !id.startsWith("FSS-"));

describe.each(checkedRules.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  test("the accepted example passes", async () => {
    const { image } = example(rule.fields.get("accepted") as ExampleName);
    expect(await brokenRules(image)).not.toContain(id);
  });

  test("the rejected example fails this rule, and no other", async () => {
    const broken = brokenImage(id);
    if (!broken) throw new Error("the rule has no break");
    const refusal = refusals[id];
    if (refusal) {
      const error = await errorOf(brokenRules(broken.image));
      expect(error).toMatchObject(refusal);
      return;
    }
    expect(await brokenRules(broken.image)).toEqual([id]);
  });

  test(`reading an image that breaks it: ${rule.fields.get("reading")}`, () => expectReading(rule));
});

async function expectReading({ id, fields }: SpecRule): Promise<void> {
  const image = brokenImage(id)?.image ?? new Uint8Array();
  const opened = layOutImage(memorySource(image));
  const reading = fields.get("reading");
  if (reading === "refused") {
    const error = await errorOf(opened);
    expect(error).toMatchObject(refusals[id] ?? { code: "CORRUPT", rule: id });
    return;
  }
  const warned = (await opened).findings.filter((finding) => finding.reading === "warned");
  const rules = warned.map((finding) => finding.rule);
  if (reading === "warned") expect(rules).toContain(id);
  else expect(rules).not.toContain(id);
}

test("code and tests name only rules that exist", () => {
  const root = join(import.meta.dirname, "..");
  const known = new Set(readSpecRules().map(({ id }) => id));
  const unknown = ["src", "fixtures-gen", "test", "bench"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .flatMap((name) => {
        const text = readFileSync(join(root, folder, name), "utf8");
        const ids = text.match(/\b(?:PC1|PC2|NTC|FSS|FUS)-[A-Z]+(?:-[A-Z0-9]+)*\b/g) ?? [];
        return ids.filter((id) => !known.has(id)).map((id) => `${folder}/${name}: ${id}`);
      }),
  );
  expect(unknown).toEqual([]);
});
