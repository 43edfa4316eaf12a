import { printable } from "../bytes/printable.ts";
import {
  isBackgroundChild,
  reportFailure,
  reportReady,
  startInBackground,
} from "../fuse/background.ts";
import type { Messages } from "./messages.ts";
import { mountedText } from "./mounted-text.ts";
import type { Reporter } from "./serve-image.ts";
import { serverLog } from "./server-log.ts";
import { systemLog } from "./system-log.ts";
import { startThreads } from "./threads.ts";

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

/**
 * Mounts the image: served by this process with `debug`, by one in the background otherwise. Who only
 * starts that one does not load what serves.
 */
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
    await serveFromHere(options, { mounted, log: (line) => log(line), debug });
  } else {
    mounted(JSON.parse(startInBackground(process.argv.slice(2)).payload) as Mounted);
  }
}

async function serveFromHere(options: MountOptions, reporter: Reporter): Promise<void> {
  const threads = startThreads();
  try {
    const { serveImage } = await import("./serve-image.ts");
    await serveImage(options, reporter, threads);
  } finally {
    threads.dismiss();
  }
}

async function serveInBackground(options: MountOptions): Promise<void> {
  let log = systemLog;
  try {
    log = serverLog(options.log);
    await serveFromHere(options, {
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
