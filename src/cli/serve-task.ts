import type { Reporter, ServerTask } from "./run-server.ts";
import { serveInThreads } from "./threads.ts";

/** Mounts what the task says, and serves it until it is unmounted. */
export async function serveTask(task: ServerTask, reporter: Reporter<unknown>): Promise<void> {
  if (task.shows === "image") return serveInThreads(task.options, reporter);
  const { serveFolder } = await import("./serve-folder.ts");
  await serveFolder(task.options, reporter);
}
