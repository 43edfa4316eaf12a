import { expect, test } from "bun:test";
import { join } from "node:path";
import type { Cost } from "./claim-child.ts";
import { claims } from "./claims.ts";

/** What Bun itself takes is 50 MB of it. */
const MOST_MEMORY = 100e6;
/** "At once", on a machine that is busy with other tests. */
const AT_ONCE_MS = 5000;

test("no claim of a header costs memory or time: each image is answered for at once, below 100 MB", async () => {
  const child = Bun.spawn([process.execPath, join(import.meta.dirname, "claim-child.ts")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err] = await Promise.all([child.stdout.text(), child.stderr.text()]);
  expect(err).toBe("");
  const costs = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Cost);
  expect(costs.map(({ name }) => name)).toEqual(Object.keys(claims));
  for (const { name, outcome, milliseconds, peakBytes } of costs) {
    expect([name, outcome]).toEqual([name, claims[name]?.outcome ?? ""]);
    expect({ name, tooMuch: peakBytes > MOST_MEMORY && peakBytes }).toEqual({
      name,
      tooMuch: false,
    });
    expect({ name, tooLong: milliseconds > AT_ONCE_MS && milliseconds }).toEqual({
      name,
      tooLong: false,
    });
  }
}, 60_000);
