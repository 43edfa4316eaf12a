import { parentPort } from "node:worker_threads";
import { reviveImage, type SharedImage } from "../formats.ts";
import { type ImageStatus, partitionFile } from "../fuse/partition-file.ts";
import { fuseDevice, serveRequests } from "../fuse/session.ts";
import { FileSource } from "../source/file.ts";
import { watched } from "../source/watched.ts";

/** What a serving thread is sent, once. */
export interface WorkerTask {
  /** The mount's descriptor of /dev/fuse. */
  readonly fuseFd: number;
  readonly image: {
    readonly name: string;
    readonly fd: number;
    readonly size: number;
    readonly shared: SharedImage;
  };
  readonly fileName: string;
  readonly status: ImageStatus;
  readonly debug: boolean;
}

async function work({ fuseFd, image, fileName, status, debug }: WorkerTask): Promise<void> {
  // The main thread owns the descriptor.
  const file = new FileSource(image.name, image.fd, image.size, false);
  const source = watched(file, { size: image.size, mtimeNs: status.mtimeNs });
  await serveRequests({
    device: fuseDevice(fuseFd),
    file: partitionFile(await reviveImage(source, image.shared), fileName, status),
    debug,
    post: (message) => parentPort?.postMessage(message),
  });
}

parentPort?.once("message", work);
