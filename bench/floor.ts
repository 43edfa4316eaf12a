/**
 * What serving FUSE from Bun costs at least: bun bench/floor.ts FILE SHIFT DIR shows FILE from byte
 * SHIFT on as DIR/partition until it is unmounted, with the three system calls that a read takes and
 * nothing else: no image, no bitmap, no parsing, no checks. What our mounts are behind this is ours.
 * With a SHIFT that is not 0 the data begin within a page, as those of an image do.
 */
import { fstatSync, openSync, readSync, writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { IN_HEADER, MAX_READ, OUT_HEADER, READ_IN } from "../src/fuse/abi.ts";
import { mountFuse } from "../src/fuse/mount.ts";
import { ReplyBuffer } from "../src/fuse/reply.ts";
import { serve } from "../src/fuse/serve.ts";
import { type Device, fuseDevice, serveRequests } from "../src/fuse/session.ts";
import { SERVING_THREADS } from "../src/fuse/threads.ts";

const READ = 15;
const PAGE = 4096;

interface Task {
  readonly fuseFd: number;
  readonly fd: number;
  readonly shift: number;
}

/** A device that answers reads by itself, and passes on what else the kernel wants. */
function readingDevice({ fuseFd, fd, shift }: Task): Device {
  const device = fuseDevice(fuseFd);
  const { bytes, start } = new ReplyBuffer(MAX_READ);
  const header = new DataView(bytes.buffer, start, OUT_HEADER.size);
  const payloadAt = start + OUT_HEADER.size;
  const { offset, size } = READ_IN.field;
  const answerRead = (request: DataView) => {
    const low = request.getUint32(IN_HEADER.size + offset.at, true);
    const at = request.getUint32(IN_HEADER.size + offset.at + 4, true) * 2 ** 32 + low;
    const length = readSync(
      fd,
      bytes,
      payloadAt,
      request.getUint32(IN_HEADER.size + size.at, true),
      shift + at,
    );
    header.setUint32(0, OUT_HEADER.size + length, true);
    // The request's number, as two halves: its 64 bits as one are an object.
    header.setUint32(8, request.getUint32(8, true), true);
    header.setUint32(12, request.getUint32(12, true), true);
    writeSync(fuseFd, bytes, start, OUT_HEADER.size + length);
  };
  return {
    read(into) {
      const request = new DataView(into.buffer, into.byteOffset);
      for (;;) {
        const length = device.read(into);
        if (request.getUint32(IN_HEADER.field.opcode.at, true) !== READ) return length;
        answerRead(request);
      }
    },
    write: device.write,
  };
}

async function work(task: Task): Promise<void> {
  const status = fstatSync(task.fd, { bigint: true });
  const { mode, uid, gid, atimeNs, mtimeNs, ctimeNs } = status;
  const size = Math.floor((Number(status.size) - task.shift) / PAGE) * PAGE;
  const numbers = { mode: Number(mode), uid: Number(uid), gid: Number(gid), size };
  const file = { name: "partition", ...numbers, atimeNs, mtimeNs, ctimeNs };
  const whole = { storedBytes: size, blockSize: PAGE };
  const reads = { read: () => 0, nextData: (at: number) => at, nextHole: () => size };
  await serveRequests({
    device: readingDevice(task),
    files: [{ ...file, ...whole, ...reads }],
    debug: false,
    post: (message) => parentPort?.postMessage(message),
  });
}

async function main(path: string, shift: number, mountPoint: string): Promise<void> {
  const fd = openSync(path, "r");
  const mount = mountFuse({ mountPoint, source: path });
  await serve(mount, {
    createWorkers: (fuseFd) => {
      const workerData: Task = { fuseFd, fd, shift };
      const start = () => new Worker(new URL(import.meta.url), { workerData });
      return Array.from({ length: SERVING_THREADS }, start);
    },
    log: (line) => console.error(line),
  });
}

if (isMainThread) {
  const [path = "", shift = "0", mountPoint = ""] = process.argv.slice(2);
  await main(path, Number(shift), mountPoint);
} else await work(workerData as Task);
