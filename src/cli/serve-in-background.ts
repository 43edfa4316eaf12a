import { isBackgroundChild, reportFailure, reportReady, takeTask } from "../fuse/background.ts";
import type { ServerTask } from "./run-server.ts";
import { serveTask } from "./serve-task.ts";
import { serverLog } from "./server-log.ts";
import { systemLog } from "./system-log.ts";

/** What the process in the background does: it mounts, reports to its parent, and serves. */
export async function serveInBackground(): Promise<void> {
  let log = systemLog;
  try {
    const task = JSON.parse(takeTask()) as ServerTask;
    log = serverLog(task.options.log);
    await serveTask(task, {
      mounted: (told) => reportReady(JSON.stringify(told)),
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
