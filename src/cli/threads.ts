import { Worker } from "node:worker_threads";
import { SERVING_THREADS } from "../fuse/threads.ts";
import type { Mounted, MountOptions } from "./mount.ts";
import type { Reporter } from "./run-server.ts";
import type { WorkerTask } from "./worker.ts";

/** The threads that serve. One loads what it needs while the image is still being read, and waits. */
export interface ServingThreads {
  /** Gives each the task. */
  assignAll(task: WorkerTask): readonly Worker[];
  /** Ends the one that waits. */
  dismiss(): void;
}

/**
 * Starting a thread takes longer than reading most bitmaps. To start them all at once, with every
 * core busy, takes a sixth longer until a mount answers, for which one is enough.
 */
function startThreads(): ServingThreads {
  const start = () => new Worker(new URL("./worker.ts", import.meta.url));
  let waiting: Worker | null = start();
  return {
    assignAll(task) {
      const threads = Array.from({ length: SERVING_THREADS }, (_, i) =>
        i === 0 && waiting ? waiting : start(),
      );
      waiting = null;
      for (const thread of threads) thread.postMessage(task);
      return threads;
    },
    dismiss() {
      void waiting?.terminate();
      waiting = null;
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
