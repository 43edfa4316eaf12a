import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { imageOfZeros } from "../zeros.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "vconform.ts");
const PEAK = join(import.meta.dirname, "peak-memory.ts");
const MIB = 2 ** 20;
/** Bun itself has 45 of them; the rest is what it collects late. */
const MOST_MEMORY = 160 * MIB;

const scratch = mkdtempSync(join(tmpdir(), "vconform-memory-"));
afterAll(() => rmSync(scratch, { recursive: true }));

for (const size of [256 * MIB, 2048 * MIB]) {
  for (const mode of ["crc32", "xxh128"] as const) {
    for (const way of ["file", "pipe"] as const) {
      test(`${size / MIB} MiB with ${mode} in a ${way} take no more than ${MOST_MEMORY / MIB}`, async () => {
        const path = imageOfZeros(join(scratch, "zeros.img"), size, mode);
        const cat = way === "pipe" ? Bun.spawn(["cat", path]) : null;
        const peakFile = join(scratch, "peak");
        const child = Bun.spawn([process.execPath, "--preload", PEAK, MAIN, cat ? "-" : path], {
          stdio: [cat?.stdout ?? "ignore", "ignore", "inherit", Bun.file(peakFile)],
        });
        expect(await child.exited).toBe(0);
        const peak = Number(readFileSync(peakFile, "utf8")) * 1024;
        expect(peak).toBeGreaterThan(0);
        if (process.env.LONG === "1") console.log(`${way}: ${Math.round(peak / MIB)} MiB`);
        expect(peak).toBeLessThan(MOST_MEMORY);
        rmSync(path);
        // A shorter number would not cover all of this one.
        rmSync(peakFile);
      }, 120_000);
    }
  }
}
