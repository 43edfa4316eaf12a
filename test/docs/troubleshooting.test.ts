import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");

/** String literals that a line's end divides are one text. */
const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  .join("\n");

const texts = [...page.matchAll(/^### (.*)$/gm)].map(([, title = ""]) => title);

/** A text's parts between the places that differ. */
const partsOf = (text: string): string[] =>
  text
    .slice(1, -1)
    .split("…")
    .map((part) => part.trim())
    .filter((part) => part !== "");

describe("docs/troubleshooting.md", () => {
  test("goes by what the commands print", () => {
    expect(texts.length).toBeGreaterThan(20);
    expect(texts.filter((text) => !/^`[^`]+`$/.test(text))).toEqual([]);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test.each(texts)("%s is in the code", (text) => {
    expect(partsOf(text).filter((part) => !source.includes(part))).toEqual([]);
  });
});
