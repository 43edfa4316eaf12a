import { parentPort } from "node:worker_threads";
import { reviveImage, type SharedImage } from "../formats.ts";
import { type Patch, patched } from "../fuse/backup-boot.ts";
import { type ImageStatus, partitionFile } from "../fuse/partition-file.ts";
import { fuseDevice, type SessionMessage, serveRequests } from "../fuse/session.ts";
import { StandIns } from "../fuse/stand-ins.ts";
import { SERVING_THREADS } from "../fuse/threads.ts";
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
  /** What the mount's StandIns share. */
  readonly waiting: Int32Array;
  readonly isStandIn: boolean;
  readonly debug: boolean;
}

async function work(task: WorkerTask): Promise<void> {
  const { fuseFd, stored, shared, fileName, status, patch, debug } = task;
  const post = (message: SessionMessage) => parentPort?.postMessage(message);
  const standIns = new StandIns(SERVING_THREADS, task.waiting, () => post({ type: "waiting" }));
  const image = await reviveImage(reviveStored(stored, standIns.whileWaiting), shared);
  const file = partitionFile(image, fileName, status);
  const device = fuseDevice(fuseFd);
  await serveRequests({
    device: task.isStandIn ? standIns.deviceOf(device) : device,
    files: [patch === null ? file : patched(file, patch)],
    debug,
    post,
  });
  standIns.end();
}

parentPort?.once("message", work);
