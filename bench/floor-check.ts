/**
 * What a check costs at least: bun bench/floor-check.ts FILE reads FILE from the page cache by one
 * thread and by two, without and with a CRC-32 of each piece, and nothing else: no strips, no
 * comparing. Prints medians in milliseconds, and `cat` beside them.
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { secondsOf } from "./command.ts";
import { median } from "./row.ts";

const ROUNDS = 9;
/** As src/partclone/strips.ts has them. */
const PIECE = 2 ** 18;

interface Task {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  readonly hashes: boolean;
}

function readAll({ path, from, to, hashes }: Task): number {
  const fd = openSync(path, "r");
  const buffer = new Uint8Array(PIECE);
  let crc = 0;
  for (let at = from; at < to; at += PIECE) {
    const count = readSync(fd, buffer, 0, PIECE, at);
    if (hashes) crc = Bun.hash.crc32(buffer.subarray(0, count), crc);
  }
  closeSync(fd);
  return crc;
}

/** `helper`: a thread that is up already. */
async function secondsBy(path: string, helper: Worker | null, hashes: boolean): Promise<number> {
  const { size } = statSync(path);
  const middle = helper ? Math.floor(size / 2) : size;
  const begin = performance.now();
  const done = helper && new Promise((resolve) => helper.once("message", resolve));
  helper?.postMessage({ path, from: middle, to: size, hashes } satisfies Task);
  readAll({ path, from: 0, to: middle, hashes });
  await done;
  return (performance.now() - begin) / 1000;
}

async function main(path: string): Promise<void> {
  const worker = new Worker(new URL(import.meta.url));
  await new Promise((resolve) => worker.once("message", resolve));
  const subjects = {
    cat: async () => secondsOf(["cat", path]),
    "reading, 1 thread": () => secondsBy(path, null, false),
    "reading, 2 threads": () => secondsBy(path, worker, false),
    "reading and CRC-32, 1 thread": () => secondsBy(path, null, true),
    "reading and CRC-32, 2 threads": () => secondsBy(path, worker, true),
  };
  const seconds: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, measure] of Object.entries(subjects)) {
      const figure = await measure();
      if (round > 0) seconds[name] = [...(seconds[name] ?? []), figure];
    }
  }
  for (const [name, figures] of Object.entries(seconds)) {
    const ratios = figures.map((figure, round) => figure / (seconds.cat?.[round] ?? Number.NaN));
    console.log(
      `${name}: ${(median(figures) * 1000).toFixed(0)} ms, ${median(ratios).toFixed(2)} x cat`,
    );
  }
  await worker.terminate();
}

if (isMainThread) await main(process.argv[2] ?? "");
else {
  parentPort?.on("message", (task: Task) => parentPort?.postMessage(readAll(task)));
  parentPort?.postMessage("up");
}
