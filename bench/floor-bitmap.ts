/**
 * What mounting a huge partition costs at least: bun bench/floor-bitmap.ts IMAGE [MIB] reads so many
 * MiB (512 by default, the bitmap of 16 TiB) from IMAGE's beginning into new shared memory, and takes
 * their CRC-32, and counts the bits, as opening an image must. Prints medians.
 */
import { openSync, readSync } from "node:fs";
import { popcounts } from "../src/bytes/popcounts.ts";
import { median } from "./row.ts";

const ROUNDS = 5;
const PIECE = 2 ** 20;
/** As src/image/rank.ts has it: 1,024 blocks. */
const WORDS_PER_COUNT = 32;

const [path = "", mebibytes = "512"] = process.argv.slice(2);
const size = Number(mebibytes) * PIECE;
const fd = openSync(path, "r");
const laps: Record<string, number[]> = {};
for (let round = 0; round <= ROUNDS; round++) {
  let begin = performance.now();
  const lap = (name: string) => {
    const now = performance.now();
    if (round > 0) laps[name] = [...(laps[name] ?? []), now - begin];
    begin = now;
  };
  const words = new Uint32Array(new SharedArrayBuffer(size));
  const bytes = new Uint8Array(words.buffer);
  for (let at = 0; at < size; at += PIECE) readSync(fd, bytes, at, PIECE, at);
  lap("reading into new memory");
  let crc = 0;
  for (let at = 0; at < size; at += PIECE) {
    crc = Bun.hash.crc32(bytes.subarray(at, at + PIECE), crc);
  }
  lap("CRC-32");
  popcounts(words, WORDS_PER_COUNT, new Uint32Array(words.length / WORDS_PER_COUNT + 1));
  lap("counting");
}
for (const [name, times] of Object.entries(laps)) {
  console.log(`${name}: ${median(times).toFixed(0)} ms`);
}
