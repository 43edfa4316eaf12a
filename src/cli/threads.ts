import { Worker } from "node:worker_threads";
import { SERVING_THREADS } from "../fuse/threads.ts";
import type { Mounted, MountOptions } from "./mount.ts";
import type { Reporter } from "./run-server.ts";
import type { WorkerTask } from "./worker.ts";

/** Threads that load what they need while the image is still being read, and then wait. */
export interface ServingThreads {
  /** Gives each the task. */
  assignAll(task: WorkerTask): readonly Worker[];
  /** Ends those that wait. */
  dismiss(): void;
}

/** Starting a thread takes longer than reading most bitmaps: half of the time until a mount answers. */
function startThreads(): ServingThreads {
  const waiting = Array.from(
    { length: SERVING_THREADS },
    () => new Worker(new URL("./worker.ts", import.meta.url)),
  );
  return {
    assignAll(task) {
      const threads = waiting.splice(0);
      for (const thread of threads) thread.postMessage(task);
      return threads;
    },
    dismiss() {
      for (const thread of waiting.splice(0)) void thread.terminate();
    },
  };
}

/** Mounts the image and serves it until it is unmounted. */
export async function serveInThreads(
  options: MountOptions,
  reporter: Reporter<Mounted>,
): Promise<void> {
  const threads = startThreads();
  try {
    const { serveImage } = await import("./serve-image.ts");
    await serveImage(options, reporter, threads);
  } finally {
    threads.dismiss();
  }
}
