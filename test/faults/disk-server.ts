/** A program that shows a file through a disk of moods; its standard input changes them. */
import { fstatSync, openSync, readSync } from "node:fs";
import { createInterface } from "node:readline";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { IN_HEADER, OPEN_OUT, OUT_HEADER } from "../../src/fuse/abi.ts";
import { mountFuse } from "../../src/fuse/mount.ts";
import { serve } from "../../src/fuse/serve.ts";
import type { ServedFile } from "../../src/fuse/served-file.ts";
import {
  type Device,
  fuseDevice,
  type SessionMessage,
  serveRequests,
} from "../../src/fuse/session.ts";
import { type DiskConfig, moods } from "./moods.ts";

/** In memory that threads share: the mood, where it begins, where it ends. */
type State = Int32Array;
interface WorkerStart {
  readonly fd: number;
  readonly config: DiskConfig;
  readonly state: State;
}

/** As many requests can be stuck at once, and one is answered. */
const THREADS = 6;
const SHORT_BYTES = 1000;
const DIRECT_IO = 1;
const OPEN = 14;
const READ = 15;

class DiskError extends Error {
  readonly code = "EIO";
}

function moodyFile({ path, name }: DiskConfig, state: State): ServedFile {
  const fd = openSync(path, "r");
  const { size } = fstatSync(fd);
  return {
    ...{ name, size, mode: 0o444, uid: 0, gid: 0 },
    ...{ atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n, storedBytes: size, blockSize: 4096 },
    async read(into, offset) {
      const isHit = () =>
        offset < Atomics.load(state, 2) && offset + into.length > Atomics.load(state, 1);
      const stuck = moods.indexOf("stuck");
      while (isHit() && Atomics.load(state, 0) === stuck) Atomics.wait(state, 0, stuck);
      if (isHit() && moods[Atomics.load(state, 0)] === "failing") throw new DiskError("bad sector");
      return readSync(fd, into, 0, into.length, offset);
    },
    nextData: (offset) => offset,
    nextHole: () => size,
  };
}

/**
 * The device with replies to READ cut short, as a disk may do it: the session itself never would.
 * Reads go past the page cache, which would remember what the disk said before.
 */
function moodyDevice(device: Device, state: State): Device {
  let opcode = 0;
  return {
    read(into) {
      const length = device.read(into);
      opcode = new DataView(into.buffer, into.byteOffset).getUint32(
        IN_HEADER.field.opcode.at,
        true,
      );
      return length;
    },
    write(bytes, start, length) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + start, length);
      const isSuccess = length > OUT_HEADER.size;
      if (opcode === OPEN && isSuccess) {
        view.setUint32(OUT_HEADER.size + OPEN_OUT.field.openFlags.at, DIRECT_IO, true);
      }
      const most = OUT_HEADER.size + SHORT_BYTES;
      const isShort = moods[Atomics.load(state, 0)] === "short" && opcode === READ && length > most;
      if (isShort) view.setUint32(0, most, true);
      return device.write(bytes, start, isShort ? most : length);
    },
  };
}

async function main(config: DiskConfig): Promise<void> {
  const state = new Int32Array(new SharedArrayBuffer(12));
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    const [mood = 0, from = 0, to = 0] = JSON.parse(line) as number[];
    Atomics.store(state, 1, from);
    Atomics.store(state, 2, to);
    Atomics.store(state, 0, mood);
    Atomics.notify(state, 0);
    console.log("changed");
  });
  const mount = mountFuse({ mountPoint: config.mountPoint, source: "moody disk" });
  await serve(mount, {
    createWorkers: (fd) => {
      const workerData: WorkerStart = { fd, config, state };
      const start = () => new Worker(new URL(import.meta.url), { workerData });
      return Array.from({ length: THREADS }, start);
    },
    onReady: () => console.log("ready"),
    log: () => {},
  });
  process.exit(0);
}

async function work({ fd, config, state }: WorkerStart): Promise<void> {
  await serveRequests({
    device: moodyDevice(fuseDevice(fd), state),
    files: [moodyFile(config, state)],
    debug: false,
    post: (message: SessionMessage) => parentPort?.postMessage(message),
  });
}

if (isMainThread) await main(JSON.parse(process.argv[2] ?? "{}"));
else await work(workerData);
