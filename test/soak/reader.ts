/** A program of many readers at once: each range that they read must be the one of the partition. */
import { constants, readFileSync } from "node:fs";
import { open } from "node:fs/promises";

export interface ReaderConfig {
  /** The virtual partition, and what it must hold. */
  readonly file: string;
  readonly truth: string;
  readonly readers: number;
  readonly seed: number;
  /** Ends after this many seconds, or requests. */
  readonly seconds?: number;
  readonly requests?: number;
  /** Reads of exactly this size, on multiples of it, past the page cache; any by default. */
  readonly size?: number;
}

export interface ReaderResult {
  readonly requests: number;
  readonly bytes: number;
  readonly wrong: number;
  readonly seconds: number;
}

const MOST_BYTES = 256 * 1024;

/** xorshift32: the same ranges for the same seed. */
function randomOf(seed: number): (below: number) => number {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

async function run(config: ReaderConfig): Promise<ReaderResult> {
  const { file, readers, seed, size } = config;
  const truth = readFileSync(config.truth);
  const start = performance.now();
  const end = start + (config.seconds ?? Infinity) * 1000;
  const most = config.requests ?? Infinity;
  const total = { requests: 0, bytes: 0, wrong: 0 };

  const range = (random: (below: number) => number) => {
    if (size !== undefined)
      return { at: random(Math.floor(truth.length / size)) * size, length: size };
    const at = random(truth.length);
    return { at, length: Math.min(1 + random(MOST_BYTES), truth.length - at) };
  };
  const read = async (number: number) => {
    // Half of them past the page cache, so that the server is asked; half as programs do it.
    const isDirect = size !== undefined || number % 2 === 0;
    const flags = constants.O_RDONLY | (isDirect ? constants.O_DIRECT : 0);
    const handle = await open(file, flags);
    const buffer = Buffer.alloc(size ?? MOST_BYTES);
    const random = randomOf(seed + number * 7919);
    while (total.requests < most && performance.now() < end) {
      const { at, length } = range(random);
      total.requests += 1;
      const { bytesRead } = await handle.read(buffer, 0, length, at);
      total.bytes += bytesRead;
      const isRight =
        bytesRead === length && truth.compare(buffer, 0, length, at, at + length) === 0;
      if (!isRight) total.wrong += 1;
    }
    await handle.close();
  };
  await Promise.all(Array.from({ length: readers }, (_, number) => read(number)));
  return { ...total, seconds: (performance.now() - start) / 1000 };
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2] ?? "{}"))));
