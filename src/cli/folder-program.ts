import packageJson from "../../package.json" with { type: "json" };
import { FAILED, type Given, runProgram } from "./command.ts";
import { vclonezilla } from "./folder-options.ts";
import { messagesOf } from "./messages.ts";

export async function runFolderProgram(): Promise<void> {
  const run = (_args: unknown, given: Given) => perform(given);
  await runProgram({ topic: vclonezilla, version: packageJson.version, run });
}

async function perform({ values, positionals: [path = ""] }: Given): Promise<void> {
  // Loaded when needed: --help must not pay for what it does not use.
  const { printFolder } = await import("./folder-table.ts");
  if (!(await printFolder(path, values.json === true, messagesOf("vclonezilla")))) {
    process.exitCode = FAILED;
  }
}
