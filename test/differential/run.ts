import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { compareAll, type Difference } from "./compare.ts";
import { byExplanation, differencesPage } from "./page.ts";

const PAGE = join(import.meta.dirname, "..", "..", "spec", "differences.md");

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "6000" },
    seed: { type: "string", default: "1" },
    parallel: { type: "string", default: "48" },
    write: { type: "boolean", default: false },
  },
});

function line({ case: { name }, tool, ours, theirs, kind }: Difference): string {
  const broken = [...ours.broken].join(", ") || "nothing";
  const last =
    theirs.output
      .trim()
      .split(/[\r\n]+/)
      .at(-1) ?? "";
  return `${name}: we: ${ours.answer} (breaks ${broken}); ${tool}: ${kind} (${last.slice(0, 120)})`;
}

const scratch = mkdtempSync(join(tmpdir(), "differential-"));
try {
  const seed = Number(values.seed);
  const comparison = await compareAll(seed, Number(values.count), scratch, Number(values.parallel));
  const groups = byExplanation(comparison);
  for (const [explanation, own] of groups) {
    if (explanation) console.log(`${String(own.length).padStart(6)}  ${explanation.title}`);
  }
  const unexplained = groups.get(null) ?? [];
  console.log(`${String(unexplained.length).padStart(6)}  unexplained`);
  for (const each of unexplained) console.log(line(each));
  if (values.write && unexplained.length === 0) {
    writeFileSync(PAGE, differencesPage(comparison, seed));
  }
  process.exitCode = unexplained.length === 0 ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true });
}
