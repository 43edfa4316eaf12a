import packageJson from "../../package.json" with { type: "json" };
import { FAILED, type Given, runProgram, UsageError } from "./command.ts";
import { vclonezilla } from "./folder-options.ts";
import { messagesOf } from "./messages.ts";
import { indexDirectoryOf, requireMountSense } from "./mount-values.ts";

export async function runFolderProgram(): Promise<void> {
  const run = (_args: unknown, given: Given) => perform(given);
  await runProgram({ topic: vclonezilla, version: packageJson.version, run });
}

async function perform({ values, positionals: [folderPath = ""] }: Given): Promise<void> {
  requireMountSense(values);
  const messages = messagesOf("vclonezilla");
  const { mountpoint, json, quiet, "verify-folder": verifies } = values;
  if (mountpoint !== undefined && json) throw new UsageError("--json and -m exclude each other");
  if (verifies && (json || mountpoint !== undefined)) {
    throw new UsageError("--verify-folder excludes --json and -m");
  }
  if (quiet && !verifies) throw new UsageError("-q needs --verify-folder");
  // Loaded when needed: --help must not pay for what it does not use.
  if (mountpoint !== undefined) {
    const { mountFolder } = await import("./folder-mount.ts");
    const options = {
      ...{ folderPath, mountPoint: String(mountpoint) },
      debug: values.debug_fuse === true,
      verify: values.verify === true,
      indexDirectory: indexDirectoryOf(values),
      ...(values.log === undefined ? {} : { log: String(values.log) }),
    };
    await mountFolder(options, messages);
    return;
  }
  if (verifies) {
    const { verifyFolder } = await import("./verify-folder.ts");
    if (!(await verifyFolder(folderPath, quiet === true, messages))) process.exitCode = FAILED;
    return;
  }
  const { printFolder } = await import("./folder-table.ts");
  if (!(await printFolder(folderPath, json === true, messages))) process.exitCode = FAILED;
}
