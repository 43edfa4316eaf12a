// Runs the fuzzer: bun run fuzz [--seed N] [--count N] [--case K]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { caseOf } from "./case.ts";
import { Dice } from "./dice.ts";
import { exercise } from "./exercise.ts";
import { fuzz } from "./watch.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    count: { type: "string", default: "200000" },
    case: { type: "string" },
    save: { type: "string" },
  },
});
const seed = Number(values.seed);

/** One case again, in this process, so that a debugger can look on. */
async function replay(number: number): Promise<void> {
  const { image, story } = caseOf(seed, number);
  if (values.save !== undefined) writeFileSync(values.save, image);
  console.log(`case ${number} of seed ${seed}: ${story}, ${image.length} bytes`);
  console.log(await exercise(image, new Dice(seed + 1, number)));
}

async function longRun(count: number): Promise<void> {
  const start = performance.now();
  let done = 0;
  const { outcomes, findings, peakBytes } = await fuzz(
    { seed, from: 0, count },
    {
      onCase() {
        done += 1;
        if (done % 10_000 === 0) console.log(`${done} of ${count} cases`);
      },
      onFinding: ({ number, what }) =>
        console.log(`FOUND bun run fuzz --seed ${seed} --case ${number}\n  ${what}`),
    },
  );
  const seconds = Math.round((performance.now() - start) / 1000);
  const counts = [...outcomes].map(([outcome, times]) => `${outcome} ${times}`).join(", ");
  console.log(`${count} cases of seed ${seed} in ${seconds} s: ${counts}`);
  console.log(`${findings.length} findings, ${Math.round(peakBytes / 2 ** 20)} MiB at most`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

if (values.case === undefined) await longRun(Number(values.count));
else await replay(Number(values.case));
