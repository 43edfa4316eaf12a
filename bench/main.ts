/** Measures everything docs/performance.md has a bar for: bun run bench [--quick] [--only ROW] */
import { parseArgs } from "node:util";
import { isRoot } from "./command.ts";
import { openLab } from "./lab.ts";
import { machine } from "./machine.ts";
import { otherMounter } from "./mounts.ts";
import { barText, resultText, writeReport } from "./report.ts";
import { type Measured, measure, type Row } from "./row.ts";
import { commandRows } from "./rows-commands.ts";
import { compressedRows } from "./rows-compressed.ts";
import { mountRows } from "./rows-mounts.ts";
import { missingTools } from "./tools.ts";

const USUAL_ROUNDS = 7;
const USAGE = `bun run bench [--quick] [--only ROW]... [--rounds N] [--images DIR]
  --quick       small images and one round: does everything run?
  --only ROW    these rows only; results.json and the documents stay as they are
  --rounds N    at least so many rounds a row (default ${USUAL_ROUNDS})
  --images DIR  keep the images there, for the next run
PEER="command IMAGE DIR" adds another mounter.`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    rounds: { type: "string", default: String(USUAL_ROUNDS) },
    images: { type: "string" },
    help: { type: "boolean", short: "h", default: false },
  },
});

/** The rows that were asked for and that can be measured here. */
function chosenRows(): readonly Row[] {
  const all = [...mountRows, ...commandRows, ...compressedRows];
  const unknown = values.only.find((id) => !all.some((row) => row.id === id));
  if (unknown !== undefined) {
    throw new Error(`no row ${unknown}; the rows are ${all.map(({ id }) => id).join(", ")}`);
  }
  const wanted = all.filter(({ id }) => values.only.length === 0 || values.only.includes(id));
  const possible = wanted.filter(({ needsRoot }) => !needsRoot || isRoot());
  for (const { id } of wanted.filter((row) => !possible.includes(row))) {
    console.error(`${id}: left out, it needs root`);
  }
  return possible;
}

async function run(): Promise<void> {
  const rows = chosenRows();
  const missing = missingTools();
  if (missing !== null) throw new Error(missing);
  const rounds = values.quick ? 1 : Number(values.rounds);
  const about = machine();
  const measured: Measured[] = [];
  await using lab = openLab({ quick: values.quick, images: values.images ?? null });
  const stop = new Promise<never>((_, reject) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
    }
  });
  for (const row of rows) {
    const one = await Promise.race([
      measure(lab, values.quick ? { ...row, rounds: 1 } : row, rounds),
      stop,
    ]);
    measured.push(one);
    console.log(
      `${one.met ? "met   " : "MISSED"} ${one.id}: ${resultText(one)} (${barText(one.bar)})`,
    );
    for (const [name, figures] of Object.entries(one.figures)) {
      console.log(`         ${name}: ${figures.map((figure) => figure.toPrecision(4)).join(" ")}`);
    }
  }
  if (values.quick || values.only.length > 0) return;
  await writeReport({ machine: about, rounds, peer: otherMounter ?? null, rows: measured });
}

if (values.help) console.log(USAGE);
else {
  try {
    await run();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
