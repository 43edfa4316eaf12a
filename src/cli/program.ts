import packageJson from "../../package.json" with { type: "json" };
import { INDEX_SIZE_RANGE } from "../image/rank.ts";
import { FAILED, type Given, runProgram, UsageError } from "./command.ts";
import type { HelpTopic } from "./help.ts";
import { messagesOf } from "./messages.ts";
import { indexDirectoryOf, requireMountSense, type Values } from "./mount-values.ts";

/** Runs vpartclone or vntfsclone: they differ in their options only, and open either format. */
export async function runImageProgram(topic: HelpTopic): Promise<void> {
  // citty takes --no-index-cache for the negation of another option: given has it as it was said.
  const run = (args: Values, given: Given) => perform(topic.name, { ...args, ...given.values });
  await runProgram({ topic, version: packageJson.version, run });
}

async function perform(name: string, values: Values): Promise<void> {
  if (values.mounts || values.unmount !== undefined) return performOnMounts(values);
  requireSense(values);
  const indexSize = indexSizeOf(values.index_size);
  const imagePath = String(values.IMAGE);
  const messages = messagesOf(name);
  // Loaded when needed: --help must not pay for what it does not use.
  if (values.verbose || values.json || values.crc_check) {
    if (values.crc_check) {
      const { prepareThreads } = await import("../partclone/proof-threads.ts");
      prepareThreads([imagePath]);
    }
    const { inspectImage } = await import("./check.ts");
    const options = {
      imagePath,
      verbose: values.verbose === true || values.json === true,
      json: values.json === true,
      crcCheck: values.crc_check === true,
      quiet: values.quiet === true,
      ...(indexSize === undefined ? {} : { indexSize }),
    };
    if (!(await inspectImage(options, messages))) {
      process.exitCode = FAILED;
      return;
    }
  }
  if (values.restore !== undefined) {
    const { restoreImage } = await import("./restore.ts");
    const target = String(values.restore);
    const [force, discard] = [values.force === true, values.discard === true];
    const quiet = values.quiet === true;
    await restoreImage({ imagePath, target, force, discard, quiet }, messages);
  }
  if (values.index) {
    const { indexImage } = await import("./index-image.ts");
    const quiet = values.quiet === true;
    await indexImage({ imagePath, indexDirectory: indexDirectoryOf(values), quiet });
  }
  if (values.mountpoint === undefined) return;
  const { mountImage } = await import("./mount.ts");
  const mountPoint = String(values.mountpoint);
  const verify = values.verify === true;
  const debug = values.debug_fuse === true;
  const options = {
    ...{ imagePath, mountPoint, verify, debug, files: values.files === true },
    backupBoot: values["ntfs-backup-boot"] === true,
    indexDirectory: indexDirectoryOf(values),
    ...(indexSize === undefined ? {} : { indexSize }),
    ...(values.log === undefined ? {} : { log: String(values.log) }),
  };
  await mountImage(options, messages);
}

async function performOnMounts({ unmount: directory }: Values): Promise<void> {
  const { printMounts, unmount } = await import("./mounts.ts");
  if (directory === undefined) printMounts();
  else if (directory === "") throw new UsageError("--unmount takes a directory");
  else await unmount(String(directory));
}

function requireSense(values: Values): void {
  const { mountpoint, verbose, json, crc_check: crcCheck, quiet } = values;
  const { restore, index } = values;
  requireRestoreSense(values);
  requireMountSense(values);
  if (quiet && !crcCheck && restore === undefined && !index) {
    throw new UsageError("-q needs -c, --restore or --index");
  }
  const isWork = mountpoint !== undefined || restore !== undefined;
  if (!isWork && !verbose && !json && !crcCheck && !index) {
    throw new UsageError("nothing to do: give -m DIR to mount, -v to describe, or -c to check");
  }
}

function requireRestoreSense({ restore, mountpoint, crc_check, force, discard }: Values): void {
  if (restore === "") throw new UsageError("--restore takes a file or a device");
  // Elsewhere that is standard output; here it would be a file of that name.
  if (restore === "-") throw new UsageError("--restore takes a file or a device, no pipe");
  if (restore !== undefined && mountpoint !== undefined) {
    throw new UsageError("--restore and -m exclude each other");
  }
  // A pipe passes only once.
  if (restore !== undefined && crc_check) {
    throw new UsageError("-c says nothing that --restore does not prove itself");
  }
  if (force && restore === undefined) throw new UsageError("--force needs --restore TARGET");
  if (discard && restore === undefined) throw new UsageError("--discard needs --restore TARGET");
}

function indexSizeOf(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const size = Number(value);
  const { min, max } = INDEX_SIZE_RANGE;
  if (!Number.isInteger(size) || size < min || size > max) {
    throw new UsageError(`index size '${value}' is not a whole number from ${min} to ${max}`);
  }
  return size;
}
