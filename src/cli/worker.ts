import { parentPort } from "node:worker_threads";
import { reviveImage, type SharedImage } from "../formats.ts";
import { type Patch, patched } from "../fuse/backup-boot.ts";
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
  readonly patch: Patch | null;
  readonly debug: boolean;
}

async function work(task: WorkerTask): Promise<void> {
  const { fuseFd, stored, shared, fileName, status, patch, debug } = task;
  const image = await reviveImage(reviveStored(stored), shared);
  const file = partitionFile(image, fileName, status);
  await serveRequests({
    device: fuseDevice(fuseFd),
    files: [patch === null ? file : patched(file, patch)],
    debug,
    post: (message) => parentPort?.postMessage(message),
  });
}

parentPort?.once("message", work);
