import { parentPort, workerData } from "node:worker_threads";
import { REQUEST_BUFFER } from "./abi.ts";
import type { ReceiverTask } from "./concurrent-session.ts";
import { fuseDevice, receive } from "./session.ts";

/** Waits in the kernel for requests, so that who answers them need not. */
const device = fuseDevice((workerData as ReceiverTask).fuseFd);
const buffer = new Uint8Array(REQUEST_BUFFER);
for (let length = receive(device, buffer); length !== null; length = receive(device, buffer)) {
  parentPort?.postMessage(buffer.slice(0, length));
}
