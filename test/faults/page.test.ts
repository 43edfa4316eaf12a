import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "spec/failures.md"), "utf8");

/** What the kernel or another program says, not we. */
const OF_OTHERS: ReadonlySet<string> = new Set([
  "Read-only file system",
  "Permission denied",
  "target is busy",
  "Software caused connection abort",
  "Transport endpoint is not connected",
]);

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => readFileSync(join(root, "src", name), "utf8"))
  .join("\n");

/** The second column of each table: what the user sees, as it is in `code`. */
function quotations(): string[] {
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| what"));
  return rows.flatMap((row) => {
    const seen = row.split(" | ")[1] ?? "";
    return [...seen.matchAll(/`([^`]+)`/g)].map(([, quoted = ""]) => quoted);
  });
}

test("what spec/failures.md says is seen is what the code says", () => {
  const own = quotations().filter((quoted) => !OF_OTHERS.has(quoted) && quoted !== "--verify");
  expect(own.length).toBeGreaterThan(30);
  expect(own.filter((quoted) => !sources.includes(quoted))).toEqual([]);
});
