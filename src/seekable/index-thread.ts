import { Worker } from "node:worker_threads";
import { type ErrorCode, type ErrorPlace, ImageBackupError } from "../bytes/errors.ts";
import type { SharedStored } from "../source/stored.ts";
import type { Checkpoint } from "./codec.ts";
import type { Entry } from "./index-file.ts";

/** What the thread is told that makes a pass through compressed data. */
export interface IndexTask {
  readonly stored: SharedStored;
  readonly codec: string;
  readonly spacing: number;
  /** Where an earlier pass came to. */
  readonly from: Checkpoint | null;
  /** The index's file, and where in it the next record goes. */
  readonly fd: number;
  readonly end: number;
}

/** What it tells. */
export type IndexMessage =
  | { readonly type: "entry"; readonly entry: Entry }
  | { readonly type: "end"; readonly outSize: number; readonly isProved: boolean }
  | ({ readonly type: "failed" } & Failure);

/** Why a pass did not come to the end; errors lose their class on their way between threads. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly place: ErrorPlace;
  /** The data's own checksum differs: something before was wrong, and nobody knows what. */
  readonly voids: boolean;
}

export function errorOf({ code, message, place }: Failure): ImageBackupError {
  return new ImageBackupError(code, message, place);
}

/** Starts the pass; `onMessage` is told of it. Returns what ends the thread. */
export function startIndexing(
  task: IndexTask,
  onMessage: (message: IndexMessage) => void,
): () => Promise<void> {
  const thread = new Worker(new URL("./index-worker.ts", import.meta.url), { workerData: task });
  const failed = (message: string) =>
    onMessage({ type: "failed", code: "SYSTEM", message, place: {}, voids: false });
  thread.on("message", onMessage);
  thread.on("error", (error) => failed(`indexing failed: ${error}`));
  return async () => {
    await thread.terminate();
  };
}
