import { printable } from "../bytes/printable.ts";
import { startInBackground } from "../fuse/background.ts";
import type { FolderMountOptions } from "./folder-mount.ts";
import type { Messages } from "./messages.ts";
import type { MountOptions } from "./mount.ts";

/** What a server is asked to show. */
export type ServerTask =
  | { readonly shows: "image"; readonly options: MountOptions }
  | { readonly shows: "folder"; readonly options: FolderMountOptions };

/** What a server tells; `told`: about its mount, once that answers. */
export interface Reporter<Told> {
  mounted(told: Told): void;
  log(line: string): void;
  debug(line: string): void;
}

/** Serves the task: in this process with `debug`, by one in the background otherwise. */
export async function runServer<Told>(
  task: ServerTask,
  messages: Messages,
  mounted: (told: Told) => void,
): Promise<void> {
  const { debug, log: logPath } = task.options;
  if (!debug) {
    const { payload } = startInBackground(process.argv.slice(2), JSON.stringify(task));
    mounted(JSON.parse(payload) as Told);
    return;
  }
  // Loaded when needed: who only starts a server does not wait for what serves.
  const { serverLog } = await import("./server-log.ts");
  const { serveTask } = await import("./serve-task.ts");
  const log = logPath === undefined ? messages.error : serverLog(logPath);
  await serveTask(task, {
    mounted: (told) => mounted(told as Told),
    log: (line) => log(line),
    debug: (line) => process.stderr.write(`${printable(line)}\n`),
  });
}
