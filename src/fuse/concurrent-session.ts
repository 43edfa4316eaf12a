import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { MAX_READ } from "./abi.ts";
import type { ServedFiles } from "./filesystem.ts";
import { KilledClients } from "./killed-clients.ts";
import { ReplyBuffer } from "./reply.ts";
import type { RequestWorker } from "./serve.ts";
import { fuseDevice, handleRequest, onceLogger, type SessionMessage } from "./session.ts";

export interface ReceiverTask {
  /** The mount's descriptor of /dev/fuse. */
  readonly fuseFd: number;
}

/** Reply buffers that are kept for the next requests. */
const MOST_FREE = 4;

/**
 * Serves files whose reads may take long: while some wait (FUS-CONCURRENT), others are answered. A
 * thread only receives, and this one answers, for 30 us more a request than `serveRequests`.
 */
export function serveConcurrently(
  fuseFd: number,
  files: ServedFiles,
  debug: boolean,
): RequestWorker {
  const events = new EventEmitter();
  const post = (message: SessionMessage) => events.emit("message", message);
  const log = onceLogger(post);
  const killed = new KilledClients();
  const session = { device: fuseDevice(fuseFd), files, debug, killed, post };
  const free: ReplyBuffer[] = [];
  const answer = async (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const reply = free.pop() ?? new ReplyBuffer(MAX_READ);
    await handleRequest(session, view, bytes.length, reply, log);
    if (free.length < MOST_FREE) free.push(reply);
  };
  const receiver = receiverOf({ fuseFd });
  const failed = (error: unknown) => events.emit("error", error);
  receiver.on("message", (bytes: Uint8Array) => void answer(bytes).catch(failed));
  receiver.on("error", failed);
  receiver.on("exit", (code) => {
    if (code === 0) post({ type: "end" });
    else events.emit("exit", code);
  });
  return events;
}

const receiverOf = (workerData: ReceiverTask) =>
  new Worker(new URL("./receive-worker.ts", import.meta.url), { workerData });
