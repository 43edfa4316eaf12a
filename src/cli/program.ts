import { type ArgsDef, defineCommand } from "citty";
import packageJson from "../../package.json" with { type: "json" };
import { INDEX_SIZE_RANGE } from "../image/rank.ts";
import { runProgram, UsageError } from "./command.ts";
import { messagesOf } from "./messages.ts";
import type { vpartcloneArgs } from "./options.ts";

type Values = Partial<Record<keyof typeof vpartcloneArgs, string | boolean>>;

/** Runs vpartclone or vntfsclone: they differ in their options only, and open either format. */
export async function runImageProgram(
  name: string,
  description: string,
  args: ArgsDef,
): Promise<void> {
  const { version } = packageJson;
  const command = defineCommand({
    meta: { name, version, description },
    args,
    run: ({ args: values }) => perform(name, values as Values),
  });
  await runProgram({ name, version, command, args });
}

async function perform(name: string, values: Values): Promise<void> {
  const imagePath = String(values.IMAGE);
  const mountPoint = values.mountpoint;
  if (!values.verbose && mountPoint === undefined) {
    throw new UsageError("nothing to do: give -m DIR to mount the image, or -v to describe it");
  }
  if (values.debug_fuse && mountPoint === undefined) throw new UsageError("-d needs -m DIR");
  const indexSize = indexSizeOf(values.index_size);
  // Loaded when needed: --help must not pay for what it does not use.
  if (values.verbose) {
    const { describeImage } = await import("./describe.ts");
    process.stdout.write(await describeImage(imagePath));
  }
  if (mountPoint === undefined) return;
  const [{ mountImage }, { mountedText }] = await Promise.all([
    import("./mount.ts"),
    import("./mounted-text.ts"),
  ]);
  const messages = messagesOf(name);
  const options = { imagePath, mountPoint: String(mountPoint), debug: values.debug_fuse === true };
  await mountImage(indexSize === undefined ? options : { ...options, indexSize }, {
    mounted(mounted) {
      for (const warning of mounted.warnings) messages.warn(`${imagePath}: ${warning}`);
      process.stdout.write(`${mountedText(mounted, process.geteuid?.() === 0)}\n`);
    },
    log: (line) => messages.error(line),
    debug: (line) => process.stderr.write(`${line}\n`),
  });
}

function indexSizeOf(value: string | boolean | undefined): number | undefined {
  if (value === undefined) return undefined;
  const size = Number(value);
  const { min, max } = INDEX_SIZE_RANGE;
  if (!Number.isInteger(size) || size < min || size > max) {
    throw new UsageError(`index size '${value}' is not a whole number from ${min} to ${max}`);
  }
  return size;
}
