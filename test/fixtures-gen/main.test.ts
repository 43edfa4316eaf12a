import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MAIN = join(import.meta.dirname, "..", "..", "fixtures-gen", "main.ts");
const scratch = mkdtempSync(join(tmpdir(), "fixtures-gen-"));
afterAll(() => rmSync(scratch, { recursive: true }));

function run(...argv: readonly string[]) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, MAIN, ...argv]);
  return { status: exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

function contents(directory: string): Record<string, string> {
  const names = readdirSync(directory).toSorted();
  return Object.fromEntries(
    names.map((name) => [name, readFileSync(join(directory, name)).toString("base64")]),
  );
}

function sha256(path: string): string {
  return new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");
}

test("same seed, same files; another seed, others", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => join(scratch, name)) as [string, string, string];
  expect(run("--out", a, "--seed", "7", "--count", "12").status).toBe(0);
  expect(run("--out", b, "--seed", "7", "--count", "12").status).toBe(0);
  expect(run("--out", c, "--seed", "8", "--count", "12").status).toBe(0);
  expect(Object.keys(contents(a))).toHaveLength(36);
  expect(contents(b)).toEqual(contents(a));
  expect(contents(c)).not.toEqual(contents(a));
});

test("the description names the seed and the files' digests", () => {
  const out = join(scratch, "described");
  expect(run("--out", out, "--seed", "3", "--count", "1").status).toBe(0);
  const name = readdirSync(out).find((file) => file.endsWith(".json")) ?? "";
  const described = JSON.parse(readFileSync(join(out, name), "utf8"));
  expect(described).toMatchObject({ seed: 3, index: 0 });
  for (const { file, sha256: digest } of [described.image, described.partition]) {
    expect(sha256(join(out, file))).toBe(digest);
  }
});

test("--break writes the one image that breaks a rule", () => {
  const out = join(scratch, "broken");
  expect(run("--out", out, "--break", "PC2-HEADER-CRC")).toMatchObject({ status: 0, stderr: "" });
  expect(readdirSync(out).toSorted()).toEqual(
    ["img", "json", "partition"].map((ending) => `PC2-HEADER-CRC.${ending}`),
  );
  const json = readFileSync(join(out, "PC2-HEADER-CRC.json"), "utf8");
  expect(JSON.parse(json)).toMatchObject({ rule: "PC2-HEADER-CRC", name: "v2-crc32" });
});

test.each([
  ["no directory", []],
  ["an unknown flag", ["--out", "x", "--sed", "1"]],
  ["a flag without its value", ["--out"]],
  ["a surplus argument", ["--out", "x", "y"]],
  ["a seed that is no number", ["--out", "x", "--seed", "one"]],
  ["a negative count", ["--out", "x", "--count=-1"]],
  ["an unknown rule", ["--out", "x", "--break", "PC3-MAGIC"]],
])("%s is a usage error", (_, argv) => {
  const { status, stdout, stderr } = run(...argv);
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  expect(stderr).toContain("--out");
});

test("--help prints the usage", () => {
  expect(run("--help")).toMatchObject({ status: 0, stderr: "" });
  expect(run("--help").stdout).toContain("--break");
});
