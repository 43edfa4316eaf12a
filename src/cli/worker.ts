import { parentPort } from "node:worker_threads";
import { reviveImage, type SharedImage } from "../formats.ts";
import { type ImageStatus, partitionFile } from "../fuse/partition-file.ts";
import { fuseDevice, serveRequests } from "../fuse/session.ts";
import { reviveStored, type SharedStored } from "../source/stored.ts";

/** What a serving thread is sent, once. */
export interface WorkerTask {
  /** The mount's descriptor of /dev/fuse. */
  readonly fuseFd: number;
  readonly stored: SharedStored;
  readonly shared: SharedImage;
  readonly fileName: string;
  readonly status: ImageStatus;
  readonly debug: boolean;
}

async function work(task: WorkerTask): Promise<void> {
  const { fuseFd, stored, shared, fileName, status, debug } = task;
  const image = await reviveImage(reviveStored(stored), shared);
  await serveRequests({
    device: fuseDevice(fuseFd),
    files: [partitionFile(image, fileName, status)],
    debug,
    post: (message) => parentPort?.postMessage(message),
  });
}

parentPort?.once("message", work);
