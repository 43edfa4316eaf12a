import { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { EINTR, IN_HEADER, INTERRUPT, INTERRUPT_IN, MAX_READ } from "./abi.ts";
import type { ServedFiles } from "./filesystem.ts";
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
  const fuse = fuseDevice(fuseFd);
  /** Requests that are not answered yet. */
  const pending = new Set<bigint>();
  const free: ReplyBuffer[] = [];
  const answer = async (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const { opcode, unique } = IN_HEADER.field;
    if (bytes.length >= IN_HEADER.size && view.getUint32(opcode.at, true) === INTERRUPT) {
      return interrupt(view.getBigUint64(IN_HEADER.size + INTERRUPT_IN.field.unique.at, true));
    }
    const id = bytes.length >= IN_HEADER.size ? view.getBigUint64(unique.at, true) : 0n;
    const reply = free.pop() ?? new ReplyBuffer(MAX_READ);
    // Whoever was interrupted has had an answer.
    const write: typeof fuse.write = (from, start, length) =>
      pending.has(id) ? fuse.write(from, start, length) : length;
    pending.add(id);
    await handleRequest({ device: { write }, files, debug, post }, view, bytes.length, reply, log);
    pending.delete(id);
    if (free.length < MOST_FREE) free.push(reply);
  };
  /** FUS-INTERRUPT: who waits for this request has got a signal, and waits for its end. */
  const interrupt = (id: bigint) => {
    if (!pending.delete(id)) return;
    const reply = new ReplyBuffer(0);
    try {
      fuse.write(reply.bytes, reply.start, reply.finish(id, EINTR));
    } catch {
      // Nobody waits any more.
    }
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
