import { writeFileSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { type Guard, startGuard } from "./guard.ts";
import type { Mount } from "./mount.ts";
import { unmountCommand } from "./mount-point.ts";
import { mountAt } from "./mount-table.ts";
import type { SessionMessage } from "./session.ts";

/** What answers a mount's requests: a thread that runs `serveRequests`, or `serveConcurrently`. */
export interface RequestWorker {
  on(event: "message", listener: (message: SessionMessage) => void): unknown;
  on(event: "error", listener: (error: unknown) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
}

export interface ServeOptions {
  /** Starts all that answer the requests that come from the descriptor. */
  createWorkers(fd: number): readonly RequestWorker[];
  /** INIT is answered: clients can read. */
  onReady?(guard: Guard): void | Promise<void>;
  /** Where `onReady` mounts something on top of this mount, which `guard.shows`. */
  readonly shownAt?: string | undefined;
  /** One line for people: a read error, a busy mount. */
  log(line: string): void;
  /** One line per request, from workers that were told to trace. */
  debug?(line: string): void;
}

/** The kernel clamps readahead to 128 KiB at INIT; 1 MiB makes buffered reads a third faster. */
const READ_AHEAD_KIB = 1024;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Only root may, and only where sysfs is writable: it is speed, not correctness. */
function raiseReadahead(mountPoint: string): void {
  const device = mountAt(mountPoint)?.device;
  if (process.geteuid?.() !== 0 || device === undefined) return;
  try {
    writeFileSync(`/sys/class/bdi/${device}/read_ahead_kb`, String(READ_AHEAD_KIB));
  } catch {
    // A container's sysfs is read-only.
  }
}

/** FUS-SIGNAL: the first signal unmounts, the next one detaches where that was refused as busy. */
function unmountOnSignal(mount: Mount, log: (line: string) => void): () => void {
  let wasBusy = false;
  const onSignal = async () => {
    try {
      if (wasBusy) {
        await mount.detach();
        log(`${mount.mountPoint} is detached; it is served until its last file is closed`);
      } else if ((await mount.unmount()) === "busy") {
        wasBusy = true;
        log(
          `${mount.mountPoint} is in use: close what uses it and stop again, which detaches it in any case`,
        );
      }
    } catch (error) {
      log(error instanceof Error ? error.message : String(error));
    }
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
}

/** What to do on a thread's messages, all but its end. */
function messageHandler(
  mount: Mount,
  guard: Guard,
  options: ServeOptions,
): (message: SessionMessage) => Promise<void> {
  const logged = new Set<string>();
  return async (message) => {
    switch (message.type) {
      case "init":
        raiseReadahead(mount.mountPoint);
        await options.onReady?.(guard);
        break;
      case "refused":
        throw new ImageBackupError("SYSTEM", message.line);
      case "debug":
        options.debug?.(message.line);
        break;
      case "log":
        // Each thread says a kind of error once; so do all of them together.
        if (!logged.has(message.kind)) options.log(message.line);
        logged.add(message.kind);
        break;
    }
  };
}

/** Resolves when the thread has ended in order; rejects when it, or the handling of it, failed. */
function endOf(
  worker: RequestWorker,
  handle: (message: SessionMessage) => Promise<void>,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.on("message", (message) => {
    if (message.type === "end") resolve();
    else handle(message).catch(reject);
  });
  worker.on("error", reject);
  worker.on("exit", (code) => {
    if (code === 0) resolve();
    else reject(new ImageBackupError("SYSTEM", `a thread of the server ended with code ${code}`));
  });
  return promise;
}

/** FUS-DETACH: the failure itself is the caller's to report, a mount left over is ours. */
async function detachAfterFailure(mount: Mount, log: (line: string) => void): Promise<void> {
  try {
    await mount.detach();
  } catch {
    log(`${mount.mountPoint} is left over: take it away with ${unmountCommand(mount.mountPoint)}`);
  }
}

/**
 * Serves a mount from its INIT to its end. Resolves when it is unmounted; on any failure detaches
 * it and rejects, upon which the process must exit, as threads may be left waiting in the kernel.
 */
export async function serve(mount: Mount, options: ServeOptions): Promise<void> {
  let guard: Guard | null = null;
  const stopListening = unmountOnSignal(mount, options.log);
  try {
    guard = startGuard(mount.mountPoint, options.shownAt);
    const handle = messageHandler(mount, guard, options);
    const workers = options.createWorkers(mount.fd);
    await Promise.all(workers.map((worker) => endOf(worker, handle)));
    guard.dismiss();
  } catch (error) {
    // FUS-FILES-KILLED: what is mounted on top may wait for answers that do not come any more. To
    // unmount it would be to wait with it; the guard does it once this process is gone.
    if (!guard?.isShowing) {
      await detachAfterFailure(mount, options.log);
      guard?.dismiss();
    }
    throw error;
  } finally {
    stopListening();
  }
}
