import { parentPort, workerData } from "node:worker_threads";
import { ImageBackupError } from "../bytes/errors.ts";
import { free } from "../bytes/free.ts";
import { reviveStored } from "../source/stored.ts";
import { seekableCodec } from "./codecs.ts";
import { collector } from "./collect.ts";
import { IndexFile } from "./index-file.ts";
import type { Failure, IndexMessage, IndexTask } from "./index-thread.ts";
import { WrongChecksum } from "./malformed.ts";

const post = (message: IndexMessage) => parentPort?.postMessage(message);

async function index({ stored, codec: name, spacing, from, fd, end }: IndexTask): Promise<void> {
  const codec = await seekableCodec(name);
  const file = new IndexFile(fd, end);
  const collect = collector();
  let outOffset = from?.outOffset ?? 0;
  // Its pieces are this thread's own.
  await using source = reviveStored(stored);
  for await (const event of codec.build(source, { from, spacing })) {
    if (event.type === "checkpoint") {
      post({ type: "entry", entry: file.add(event.checkpoint) });
      // One of xz can have 30 MB.
      free(event.checkpoint.state);
      collect(event.checkpoint.outOffset - outOffset);
      ({ outOffset } = event.checkpoint);
    } else {
      file.finish(event.outSize, event.isProved);
      post(event);
    }
  }
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof ImageBackupError)) {
    return { code: "SYSTEM", message: `indexing failed: ${message}`, place: {}, voids: false };
  }
  const { code, imageOffset, cause } = error;
  const place = imageOffset === undefined ? {} : { imageOffset };
  return { code, message, place, voids: cause instanceof WrongChecksum };
}

try {
  await index(workerData as IndexTask);
} catch (error) {
  post({ type: "failed", ...failureOf(error) });
}
