import { type ArgsDef, defineCommand, renderUsage, runCommand } from "citty";
import fc from "fast-check";
import { anyParams } from "./arbitraries.ts";
import { breaks, brokenImage } from "./breaks.ts";
import { build } from "./build.ts";
import { type Output, writeOutput } from "./description.ts";

const USAGE_STATUS = 2;

class UsageError extends Error {}

const argsDef = {
  out: { type: "string", description: "Directory for the files", valueHint: "DIR" },
  seed: { type: "string", description: "Same seed, same bytes", default: "1", valueHint: "N" },
  count: { type: "string", description: "Images to make", default: "10", valueHint: "N" },
  break: { type: "string", description: "Only the image that breaks this rule", valueHint: "RULE" },
} as const satisfies ArgsDef;

function naturalNumber(flag: string, text: string, largest: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= largest) return value;
  throw new UsageError(`--${flag} takes a number from 0 to ${largest}, not "${text}"`);
}

/** citty lets unknown flags and surplus arguments pass in silence. */
function checkArguments(args: Readonly<Record<string, unknown>> & { readonly _: string[] }): void {
  const { _: surplus, ...flags } = args;
  for (const [name, value] of Object.entries(flags)) {
    if (!Object.hasOwn(argsDef, name)) throw new UsageError(`unknown flag --${name}`);
    if (value === "" || (value !== undefined && typeof value !== "string")) {
      throw new UsageError(`--${name} takes a value`);
    }
  }
  if (surplus[0] !== undefined) throw new UsageError(`unexpected argument "${surplus[0]}"`);
}

function randomOutputs(seed: number, count: number): readonly Output[] {
  const digits = String(count).length;
  return fc.sample(anyParams(), { seed, numRuns: count }).map((params, index) => {
    const fixture = build(params);
    const name = `${String(index + 1).padStart(digits, "0")}-${params.format}`;
    return { name, fixture, image: fixture.image, origin: { seed, index } };
  });
}

function brokenOutput(rule: string): Output {
  const broken = brokenImage(rule);
  if (broken === null) {
    throw new UsageError(`no rule "${rule}"; the rules are ${Object.keys(breaks).join(", ")}`);
  }
  const { fixture, image } = broken;
  return { name: rule, fixture, image, origin: { rule } };
}

const command = defineCommand({
  meta: { name: "fixtures-gen", description: "Makes partclone and ntfsclone images for tests" },
  args: argsDef,
  run({ args }) {
    checkArguments(args);
    if (args.out === undefined) throw new UsageError("--out is missing");
    const seed = naturalNumber("seed", args.seed, 2 ** 31 - 1);
    const count = naturalNumber("count", args.count, 100_000);
    const outputs =
      args.break === undefined ? randomOutputs(seed, count) : [brokenOutput(args.break)];
    for (const output of outputs) writeOutput(args.out, output);
    console.log(`${outputs.length} image${outputs.length === 1 ? "" : "s"} in ${args.out}`);
  },
});

async function main(rawArgs: readonly string[]): Promise<number> {
  if (rawArgs.includes("--help") || rawArgs.includes("-h")) {
    console.log(await renderUsage(command));
    return 0;
  }
  try {
    await runCommand(command, { rawArgs: [...rawArgs] });
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (!(error instanceof UsageError)) return 1;
    console.error(await renderUsage(command));
    return USAGE_STATUS;
  }
}

process.exitCode = await main(process.argv.slice(2));
