import { statSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** Starting a thread takes as long as proving 0.2 GB. */
export const WORTH_THREADS = 256 * 2 ** 20;
/** Reading from the page cache is bound by the memory, which two or three cores exhaust. */
const MOST_THREADS = 4;

/** Threads that prove beside the one that asks. */
export const OTHER_THREADS = Math.min(navigator.hardwareConcurrency, MOST_THREADS) - 1;

/** Started, and waiting for a proof. */
const waiting: Worker[] = [];

/**
 * Starts the threads that a proof of these files may take, so that they load what they need while
 * this one does: started with the proof, the second is up when a fifth of 2 GB is proved. Returns
 * how many wait.
 */
export function prepareThreads(paths: readonly string[]): number {
  const count = paths.some(isLarge) ? OTHER_THREADS : 0;
  while (waiting.length < count) {
    const thread = startThread();
    // What turns out to be a compressed image, or none, has nothing for it to do.
    thread.unref();
    waiting.push(thread);
  }
  return waiting.length;
}

function isLarge(path: string): boolean {
  try {
    const stats = statSync(path);
    return stats.isFile() && stats.size >= WORTH_THREADS;
  } catch {
    // Who opens it will say why that cannot be done.
    return false;
  }
}

/** One that waits, or a new one. It proves what it is sent. */
export function takeThread(): Worker {
  const thread = waiting.pop() ?? startThread();
  thread.ref();
  return thread;
}

function startThread(): Worker {
  const thread = new Worker(new URL("./proof-worker.ts", import.meta.url));
  // One that cannot start is not missed: who asks for a proof takes all parts that nobody takes.
  thread.on("error", () => {});
  return thread;
}
