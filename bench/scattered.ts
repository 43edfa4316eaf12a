import { ptr } from "bun:ffi";
import { closeSync, constants, openSync, readSync, statSync } from "node:fs";

const READS = 8192;
const BLOCK = 4096;
/** Coprime to READS: each place is visited once a pass, far from the one before. */
const STRIDE = 5003;
const PASSES = 3;

/** Seconds that reading 4 KiB takes, at places all over a file that are cached by then. */
export function scattered(file: string): number {
  const { size } = statSync(file);
  // Past the page cache of the mount, which wants the memory on a page boundary.
  const memory = new Uint8Array(2 * BLOCK);
  const block = memory.subarray(BLOCK - (ptr(memory) % BLOCK)).subarray(0, BLOCK);
  const fd = openSync(file, constants.O_RDONLY | constants.O_DIRECT);
  const spread = Math.floor(size / READS / BLOCK) * BLOCK;
  let seconds = 0;
  for (let pass = 0; pass < PASSES; pass++) {
    const begin = performance.now();
    for (let read = 0; read < READS; read++) {
      readSync(fd, block, 0, BLOCK, ((read * STRIDE) % READS) * spread);
    }
    seconds = (performance.now() - begin) / 1000;
  }
  closeSync(fd);
  return seconds / READS;
}
