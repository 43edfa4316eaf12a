import { describe, expect, test } from "bun:test";
import { breaks } from "../../fixtures-gen/breaks.ts";
import { exampleNames } from "../../fixtures-gen/examples.ts";
import { readFormatRules, readSpecRules } from "../../src/conformance/spec-pages.ts";

const rules = readFormatRules();
const ids = rules.map((rule) => rule.id);

const FIELDS: Readonly<Record<string, RegExp>> = {
  level: /^(MUST|SHOULD)$/,
  source: /\S/,
  accepted: /^[a-z0-9.-]+$/,
  rejected: /^break [A-Z0-9-]+$/,
  judge:
    /^(partclone\.chkimg 0\.3\.23 refuses it|ntfsclone 2022\.10\.3 refuses it|none judges it — )/,
  reading: /^(refused|warned|unaffected)$/,
};

test("no rule's id is given twice, on any page", () => {
  const all = readSpecRules().map((rule) => rule.id);
  expect(all.filter((id, index) => all.indexOf(id) !== index)).toEqual([]);
});

test("each page speaks of its own format", () => {
  const prefixes: Record<string, RegExp> = {
    "partclone.md": /^PC[12]-/,
    "ntfsclone.md": /^NTC-/,
    "file-systems.md": /^FSS-/,
  };
  expect(rules.filter((rule) => !prefixes[rule.page]?.test(rule.id))).toEqual([]);
});

test("every break names a rule, and every rule has its break", () => {
  expect(Object.keys(breaks).toSorted()).toEqual(ids.toSorted());
});

describe.each(rules.map((rule) => [`${rule.page}:${rule.line} ${rule.id}`, rule] as const))(
  "%s",
  (_, rule) => {
    test("has every field, in the form that programs read", () => {
      expect([...rule.fields.keys()]).toEqual(Object.keys(FIELDS));
      for (const [name, form] of Object.entries(FIELDS)) {
        expect(rule.fields.get(name) ?? "").toMatch(form);
      }
      expect(rule.statement).not.toBe("");
    });

    test("names an example and its own break", () => {
      expect(exampleNames as readonly string[]).toContain(rule.fields.get("accepted") ?? "");
      expect(rule.fields.get("rejected")).toBe(`break ${rule.id}`);
    });
  },
);
