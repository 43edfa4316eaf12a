#!/usr/bin/env bun
import packageJson from "../../package.json" with { type: "json" };
import { type Given, runProgram } from "./command.ts";
import { vconform } from "./conform-options.ts";

async function run(given: Given): Promise<void> {
  if (!given.values.quick) {
    const { prepareThreads } = await import("../partclone/proof-threads.ts");
    prepareThreads(given.positionals);
  }
  const { runConform } = await import("./conform-program.ts");
  await runConform(given);
}

await runProgram({
  topic: vconform,
  version: packageJson.version,
  run: (_, given) => run(given),
});
