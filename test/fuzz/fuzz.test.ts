import { expect, test } from "bun:test";
import { caseOf } from "./case.ts";
import { fuzz, LIMITS } from "./watch.ts";

/** The long run is `bun run fuzz`. */
const CASES = 5000;
const SEED = 20_240_229;

test(`${CASES} mutated images: a result or an ImageBackupError, and never a wrong byte`, async () => {
  const { outcomes, findings, peakBytes } = await fuzz({ seed: SEED, from: 0, count: CASES });
  expect(findings.map(({ number, what }) => `--seed ${SEED} --case ${number}: ${what}`)).toEqual(
    [],
  );
  expect([...outcomes.values()].reduce((sum, count) => sum + count, 0)).toBe(CASES);
  // Mutations that no image survives, or that all do, would prove nothing.
  expect(outcomes.get("opened")).toBeGreaterThan(CASES / 4);
  expect(outcomes.get("CORRUPT")).toBeGreaterThan(CASES / 8);
  expect(peakBytes).toBeLessThan(LIMITS.bytes);
}, 600_000);

test("a case is the same whenever it is asked for", () => {
  for (const number of [0, 17, 4999, 2 ** 33]) {
    const first = caseOf(SEED, number);
    caseOf(SEED, number + 1);
    const second = caseOf(SEED, number);
    expect(second.story).toBe(first.story);
    expect(Buffer.compare(second.image, first.image)).toBe(0);
  }
  expect(Buffer.compare(caseOf(1, 5).image, caseOf(2, 5).image)).not.toBe(0);
});
