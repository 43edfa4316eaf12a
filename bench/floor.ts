/**
 * What serving FUSE from Bun costs at least: bun bench/floor.ts FILE SHIFT DIR shows FILE from byte
 * SHIFT on as DIR/partition until it is unmounted, with the three system calls that a read takes and
 * nothing else: no image, no bitmap, no parsing, no checks. What our mounts are behind this is ours.
 * With a SHIFT that is not 0 the data begin within a page, as those of an image do. With a fourth
 * word, `gather`, large reads are answered from a mapping of the file: a copy less, but a page fault
 * for each page. What is mapped counts as this process's memory, and its page tables grow with the
 * file, so that it has to be mapped anew now and then.
 */
import { FFIType, ptr } from "bun:ffi";
import { fstatSync, openSync, readSync, writeSync } from "node:fs";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { openCLibrary } from "../src/bytes/c-library.ts";
import { IN_HEADER, MAX_READ, OUT_HEADER, READ_IN } from "../src/fuse/abi.ts";
import { mountFuse } from "../src/fuse/mount.ts";
import { ReplyBuffer } from "../src/fuse/reply.ts";
import { serve } from "../src/fuse/serve.ts";
import { type Device, fuseDevice, serveRequests } from "../src/fuse/session.ts";
import { SERVING_THREADS } from "../src/fuse/threads.ts";

const READ = 15;
const PAGE = 4096;
/** Of a file that stays mapped for good, later readings would find no page fault left. */
const MAPPED_ANEW_AFTER = 256 * 2 ** 20;
/** Smaller reads are copied: a system call through bun:ffi gains nothing for them. */
const GATHERED_FROM = 128 * 1024;
const PROT_READ = 1;
const MAP_SHARED = 1;
const MAP_FIXED = 16;
const MADV_RANDOM = 1;

interface Task {
  readonly fuseFd: number;
  readonly fd: number;
  readonly shift: number;
  readonly gathers: boolean;
}

type Sender = (header: number, at: number, length: number) => void;

/** Sends a header and bytes of the file, which need not be read into memory of ours. */
function gathering({ fuseFd, fd }: Task): Sender {
  const { mmap, madvise, readahead, writev } = openCLibrary({
    mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
    madvise: { args: ["ptr", "u64", "i32"], returns: "i32" },
    readahead: { args: ["i32", FFIType.i64_fast, "u64"], returns: "i64" },
    writev: { args: ["i32", "ptr", "i32"], returns: "i64" },
  });
  const size = BigInt(fstatSync(fd).size);
  const base = mmap(null, size, PROT_READ, MAP_SHARED, fd, 0n);
  if (base === null) throw new Error("mmap failed");
  const remap = () => {
    mmap(base, size, PROT_READ, MAP_SHARED | MAP_FIXED, fd, 0n);
    madvise(base, size, MADV_RANDOM);
  };
  let unmapped = MAPPED_ANEW_AFTER;
  return (header, at, length) => {
    unmapped += length;
    if (unmapped >= MAPPED_ANEW_AFTER) {
      remap();
      unmapped = 0;
    }
    const pieces = [header, OUT_HEADER.size, Number(base) + at, length].map(BigInt);
    readahead(fd, at, BigInt(length));
    if (writev(fuseFd, ptr(new BigUint64Array(pieces)), 2) < 0n) throw new Error("writev failed");
  };
}

/** A device that answers reads by itself, and passes on what else the kernel wants. */
function readingDevice(task: Task): Device {
  const { fuseFd, fd, shift, gathers } = task;
  const gather = gathers ? gathering(task) : null;
  const { size: fileSize } = fstatSync(fd);
  const device = fuseDevice(fuseFd);
  const { bytes, start } = new ReplyBuffer(MAX_READ);
  const header = new DataView(bytes.buffer, start, OUT_HEADER.size);
  const payloadAt = start + OUT_HEADER.size;
  const { offset, size } = READ_IN.field;
  const answerRead = (request: DataView) => {
    const low = request.getUint32(IN_HEADER.size + offset.at, true);
    const high = request.getUint32(IN_HEADER.size + offset.at + 4, true);
    const at = shift + high * 2 ** 32 + low;
    const wanted = request.getUint32(IN_HEADER.size + size.at, true);
    const isGathered = gather !== null && wanted >= GATHERED_FROM && at + wanted <= fileSize;
    const length = isGathered ? wanted : readSync(fd, bytes, payloadAt, wanted, at);
    header.setUint32(0, OUT_HEADER.size + length, true);
    // The request's number, as two halves: its 64 bits as one are an object.
    header.setUint32(8, request.getUint32(8, true), true);
    header.setUint32(12, request.getUint32(12, true), true);
    if (isGathered) gather(ptr(bytes) + start, at, length);
    else writeSync(fuseFd, bytes, start, OUT_HEADER.size + length);
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

async function main(
  path: string,
  shift: number,
  mountPoint: string,
  gathers: boolean,
): Promise<void> {
  const fd = openSync(path, "r");
  const mount = mountFuse({ mountPoint, source: path });
  await serve(mount, {
    createWorkers: (fuseFd) => {
      const workerData: Task = { fuseFd, fd, shift, gathers };
      const start = () => new Worker(new URL(import.meta.url), { workerData });
      return Array.from({ length: SERVING_THREADS }, start);
    },
    log: (line) => console.error(line),
  });
}

if (isMainThread) {
  const [path = "", shift = "0", mountPoint = "", gathers] = process.argv.slice(2);
  await main(path, Number(shift), mountPoint, gathers === "gather");
} else await work(workerData as Task);
