import { expect } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recompress } from "../../src/source/recompress.ts";
import { testWith } from "../require.ts";
import { scratch } from "./scratch.ts";

const folder = scratch().path("c: $x");

testWith(["xz", "zstd"], "the command makes of an image, or of its pieces, a zstd file", () => {
  mkdirSync(folder);
  const content = Buffer.from("any content\n".repeat(1000));
  const { stdout } = Bun.spawnSync(["xz", "-Flzma", "-c"], { stdin: content });
  const whole = join(folder, "a.img.lzma");
  writeFileSync(whole, stdout);
  const pieces = ["aa", "ab"].map((suffix) => join(folder, `b.img.lzma.${suffix}`));
  writeFileSync(pieces[0] as string, stdout.subarray(0, 80));
  writeFileSync(pieces[1] as string, stdout.subarray(80));
  for (const [path, made] of [
    [whole, "a.img.zst"],
    [pieces[0] as string, "b.img.zst"],
  ] as const) {
    expect(Bun.spawnSync(["sh", "-c", recompress(path, "lzma")]).exitCode).toBe(0);
    expect(Bun.zstdDecompressSync(readFileSync(join(folder, made)))).toEqual(content);
  }
});
