// Random reads of large compressed images: bun run soak:compressed [--megabytes N] [--seconds N] [--source DIR]
import { statSync } from "node:fs";
import { parseArgs } from "node:util";
import { mounted } from "../faults/command.ts";
import { type AnyPipeline, otherPipelines, pipelines, realImage } from "./real-image.ts";
import { soak } from "./soak.ts";

const { values } = parseArgs({
  options: {
    megabytes: { type: "string", default: "2048" },
    seconds: { type: "string", default: "120" },
    source: { type: "string", default: "/usr" },
  },
});
const READERS = 16;
const MEMORY = 400 * 2 ** 20;
const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);

console.log(
  `an ext4 volume of ${values.megabytes} MiB with files of ${values.source}, saved by partclone`,
);
using made = realImage(Number(values.megabytes), values.source);
for (const by of Object.keys({ ...pipelines, ...otherPipelines }) as AnyPipeline[]) {
  const image = made.compressed(by);
  const sizes = `${mebibytes(made.imageBytes)} MiB, ${mebibytes(statSync(image).size)} compressed`;
  const load = { readers: READERS, seed: 5, seconds: Number(values.seconds), verify: false };
  const { requests, bytes, wrong, rss, seconds } = await soak(
    { image, truth: made.truth },
    { ...load, memory: MEMORY },
  );
  console.log(
    `${by} (${sizes}): ${requests} random reads in ${Math.round(seconds)} s (${mebibytes(bytes)} MiB), ${wrong} wrong; server: ${mebibytes(rss.most)} MiB resident at most`,
  );
  await using mount = await mounted(image);
  const { success } = Bun.spawnSync(["cmp", mount.file, made.truth]);
  console.log(`  from the first byte to the last: ${success ? "the same" : "NOT the same"}`);
  if (!success || wrong > 0) process.exitCode = 1;
}
