import { isBackgroundChild, reportFailure, reportReady, takeTask } from "../fuse/background.ts";
import type { MountOptions } from "./mount.ts";
import { serverLog } from "./server-log.ts";
import { systemLog } from "./system-log.ts";
import { serveInThreads } from "./threads.ts";

/** What the process in the background does: it mounts, reports to its parent, and serves. */
export async function serveInBackground(): Promise<void> {
  let log = systemLog;
  try {
    const options = JSON.parse(takeTask()) as MountOptions;
    log = serverLog(options.log);
    await serveInThreads(options, {
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
