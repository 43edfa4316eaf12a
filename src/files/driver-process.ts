import { readdirSync, readlinkSync } from "node:fs";
import { startOf } from "./records.ts";

/** The process of a FUSE driver. */
export interface DriverProcess {
  readonly pid: number;
  /** Its start time: its number is used again. */
  readonly started: string;
}

/** The process that has this device open, besides this one; `null`: there is none to be seen. */
export function holderOf(device: string): DriverProcess | null {
  const pids = readdirSync("/proc").map(Number);
  const pid = pids.find((each) => each > 0 && each !== process.pid && hasOpen(each, device));
  const started = pid === undefined ? null : startOf(pid);
  return pid === undefined || started === null ? null : { pid, started };
}

function hasOpen(pid: number, path: string): boolean {
  try {
    const directory = `/proc/${pid}/fd`;
    return readdirSync(directory).some((fd) => readlinkSync(`${directory}/${fd}`) === path);
  } catch {
    return false; // It ended, or closed one, between the listing and here.
  }
}

const LOOK_EVERY_MS = 500;

/** Calls `onEnd` when the process has ended. Returns what ends the watching. */
export function watchEnd({ pid, started }: DriverProcess, onEnd: () => void): () => void {
  const timer = setInterval(() => {
    if (startOf(pid) === started) return;
    clearInterval(timer);
    onEnd();
  }, LOOK_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
