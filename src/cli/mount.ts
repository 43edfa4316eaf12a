import { fstatSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { layOutImage } from "../formats.ts";
import {
  isBackgroundChild,
  reportFailure,
  reportReady,
  startInBackground,
} from "../fuse/background.ts";
import { mountFuse } from "../fuse/mount.ts";
import { serve } from "../fuse/serve.ts";
import { detectCompression, HEAD_SIZE } from "../source/compression.ts";
import { type FileSource, openFile } from "../source/file.ts";
import type { Messages } from "./messages.ts";
import { mountedText, shellQuoted } from "./mounted-text.ts";
import { serverLog } from "./server-log.ts";
import { systemLog } from "./system-log.ts";
import type { WorkerTask } from "./worker.ts";

export interface MountOptions {
  readonly imagePath: string;
  readonly mountPoint: string;
  /** Where the server says what goes wrong; the system's log by default. */
  readonly log?: string;
  /** Stay in the foreground; print a line for each request. */
  readonly debug: boolean;
  /** Prove each strip before it is first read. */
  readonly verify: boolean;
  readonly indexSize?: number;
}

/** What the command prints once the mount answers. */
export interface Mounted {
  /** The virtual partition's path. */
  readonly file: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly deviceSize: number;
  /** False: other users, root included, cannot read the file. */
  readonly allowOther: boolean;
  readonly warnings: readonly string[];
}

interface Reporter {
  mounted(mounted: Mounted): void;
  log(line: string): void;
  debug(line: string): void;
}

/** Mounts the image: served by this process with `debug`, by one in the background otherwise. */
export async function mountImage(options: MountOptions, messages: Messages): Promise<void> {
  if (isBackgroundChild()) {
    await serveInBackground(options);
    return;
  }
  const mounted = (told: Mounted) => {
    for (const warning of told.warnings) messages.warn(`${options.imagePath}: ${warning}`);
    process.stdout.write(`${mountedText(told, process.geteuid?.() === 0)}\n`);
  };
  if (options.debug) {
    const debug = (line: string) => process.stderr.write(`${printable(line)}\n`);
    const log = options.log === undefined ? messages.error : serverLog(options.log);
    await serveImage(options, { mounted, log: (line) => log(line), debug });
  } else {
    mounted(JSON.parse(startInBackground(process.argv.slice(2)).payload) as Mounted);
  }
}

async function serveInBackground(options: MountOptions): Promise<void> {
  let log = systemLog;
  try {
    log = serverLog(options.log);
    await serveImage(options, {
      mounted: (mounted) => reportReady(JSON.stringify(mounted)),
      log,
      debug: () => {},
    });
  } catch (error) {
    const line = error instanceof Error ? error.message : String(error);
    if (isBackgroundChild()) reportFailure(line);
    else log(line);
    process.exit(1);
  }
}

/** An image that cannot be read in any order cannot be mounted: say what to do about it. */
function openForMount(imagePath: string): FileSource {
  if (imagePath === "-") throw notMountable("-: standard input", SAVE);
  if (isPipe(imagePath)) throw notMountable(`${imagePath}: a pipe`, SAVE);
  const source = openFile(imagePath);
  const head = new Uint8Array(Math.min(HEAD_SIZE, source.size));
  source.readSync(head, 0);
  const compression = detectCompression(head);
  if (!compression) return source;
  const { name, command } = compression;
  const target = imagePath.replace(/\.(gz|bz2|zst|lz4|xz|lzma|lz|lzo)$/, "");
  const output = target === imagePath ? `${imagePath}.img` : target;
  const advice = `decompress it first: ${command} ${shellQuoted(imagePath)} > ${shellQuoted(output)}`;
  throw notMountable(`${imagePath}: a ${name} compressed image`, advice);
}

const SAVE = "save it to a file first";

function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // Opening it as a file says what is wrong.
  }
}

function notMountable(what: string, advice: string): ImageBackupError {
  return new ImageBackupError("UNSUPPORTED", `${what} can be checked but not mounted; ${advice}`);
}

async function serveImage(options: MountOptions, reporter: Reporter): Promise<void> {
  const { imagePath, debug, indexSize } = options;
  await using source = openForMount(imagePath);
  // Before anything is read: what is written to the file from now on shows in its time.
  const status = fstatSync(source.fd, { bigint: true });
  const layOut = { verify: options.verify, ...(indexSize === undefined ? {} : { indexSize }) };
  const opened = await layOutImage(source, layOut);
  const { image, shared, findings } = opened;
  const fileName = partitionName(imagePath);
  const mount = mountFuse({ mountPoint: options.mountPoint, source: resolve(imagePath) });
  const task = {
    image: { name: source.name, fd: source.fd, size: source.size, shared },
    fileName,
    status: { ...status },
    debug,
  };
  await serve(mount, {
    createWorker: (fuseFd) =>
      new Worker(new URL("./worker.ts", import.meta.url), {
        workerData: { ...task, fuseFd } satisfies WorkerTask,
      }),
    onReady: () =>
      reporter.mounted({
        file: join(mount.mountPoint, fileName),
        mountPoint: mount.mountPoint,
        fsType: image.fsType,
        deviceSize: image.deviceSize,
        allowOther: mount.allowOther,
        warnings: findings
          .filter(({ reading }) => reading === "warned")
          .map(({ rule, message }) => `${message} (${rule})`),
      }),
    log: reporter.log,
    debug: reporter.debug,
  });
}

/** The image's name without `.img`. */
function partitionName(imagePath: string): string {
  const name = basename(imagePath);
  return name.replace(/(?<=.)\.img$/, "");
}
