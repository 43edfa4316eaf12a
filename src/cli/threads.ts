import { Worker } from "node:worker_threads";
import { STAND_INS, StandIns } from "../fuse/stand-ins.ts";
import { SERVING_THREADS } from "../fuse/threads.ts";
import type { Mounted, MountOptions } from "./mount.ts";
import type { Reporter } from "./run-server.ts";
import type { WorkerTask } from "./worker.ts";

export interface AssignedThreads {
  readonly serving: readonly Worker[];
  /** Starts more. */
  startStandIns(): readonly Worker[];
}

/** Threads that load what they need while the image is still being read, and then wait. */
export interface ServingThreads {
  /** Gives each the task, and makes what can stand in for them. */
  assignAll(task: Omit<WorkerTask, "waiting" | "isStandIn">): AssignedThreads;
  /** Ends those that wait. */
  dismiss(): void;
}

/** Starting a thread takes longer than reading most bitmaps: half of the time until a mount answers. */
function startThreads(): ServingThreads {
  const start = () => new Worker(new URL("./worker.ts", import.meta.url));
  const waiting = Array.from({ length: SERVING_THREADS }, start);
  return {
    assignAll(task) {
      const shared = StandIns.share();
      const assign = (thread: Worker, isStandIn: boolean) => {
        thread.postMessage({ ...task, waiting: shared, isStandIn } satisfies WorkerTask);
        return thread;
      };
      return {
        serving: waiting.splice(0).map((thread) => assign(thread, false)),
        startStandIns: () => Array.from({ length: STAND_INS }, () => assign(start(), true)),
      };
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
