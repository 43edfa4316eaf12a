/** A program that mounts and serves a synthetic file; tests start it and read what it says. */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import {
  isBackgroundChild,
  reportFailure,
  reportReady,
  startInBackground,
} from "../../src/fuse/background.ts";
import { serveConcurrently } from "../../src/fuse/concurrent-session.ts";
import { type Mount, mountFuse } from "../../src/fuse/mount.ts";
import { serve } from "../../src/fuse/serve.ts";
import { fuseDevice, type SessionMessage, serveRequests } from "../../src/fuse/session.ts";
import { SERVING_THREADS } from "../../src/fuse/threads.ts";
import { type Pattern, patternFile } from "./pattern.ts";

export interface ServerConfig {
  readonly mountPoint: string;
  readonly source: string;
  readonly pattern: Pattern;
  readonly background?: boolean;
  readonly debug?: boolean;
  /** Answer requests while others wait. */
  readonly concurrent?: boolean;
  readonly allowOther?: boolean;
  /** Fail on purpose: while serving starts, in a thread, or before a word is said. */
  readonly fail?: "ready" | "worker" | "silently";
}

interface WorkerStart {
  readonly fd: number;
  readonly config: ServerConfig;
}

const say = (event: string, text = "") => process.stdout.write(`${event} ${text}\n`);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const startThread = (start: WorkerStart) =>
  new Worker(new URL(import.meta.url), { workerData: start });

async function serveMount(mount: Mount, config: ServerConfig): Promise<void> {
  await serve(mount, {
    createWorkers: (fd) =>
      config.concurrent
        ? [serveConcurrently(fd, [patternFile(config.pattern)], config.debug ?? false)]
        : Array.from({ length: SERVING_THREADS }, () => startThread({ fd, config })),
    onReady: () => {
      if (config.fail === "ready") throw new Error("failed on purpose");
      reportReady(JSON.stringify({ allowOther: mount.allowOther }));
      say("ready", JSON.stringify({ allowOther: mount.allowOther }));
    },
    log: (line) => say("log", line),
    debug: (line) => say("debug", line),
  });
}

async function main(config: ServerConfig): Promise<number> {
  try {
    if (config.background && !isBackgroundChild()) {
      const { pid, payload } = startInBackground(process.argv.slice(2));
      say("background", JSON.stringify({ pid, payload }));
      return 0;
    }
    if (config.fail === "silently") process.kill(process.pid, "SIGKILL");
    await serveMount(mountFuse(config), config);
    say("ended");
    return 0;
  } catch (error) {
    reportFailure(messageOf(error));
    say("error", messageOf(error));
    return 1;
  }
}

async function work({ fd, config }: WorkerStart): Promise<void> {
  if (config.fail === "worker") throw new Error("failed on purpose");
  await serveRequests({
    device: fuseDevice(fd),
    files: [patternFile(config.pattern)],
    debug: config.debug ?? false,
    post: (message: SessionMessage) => parentPort?.postMessage(message),
  });
}

if (isMainThread) process.exit(await main(JSON.parse(process.argv[2] ?? "{}")));
else await work(workerData);
