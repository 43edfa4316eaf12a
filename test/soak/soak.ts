import { readdirSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import type { PartcloneV2Params } from "../../fixtures-gen/fixture.ts";
import { type CommandOptions, type Folder, folder, mounted } from "../faults/command.ts";
import { usageOf } from "../fuzz/watch.ts";
import { memoryLimit } from "./memory-limit.ts";
import type { ReaderConfig, ReaderResult } from "./reader.ts";

const READER = join(import.meta.dirname, "reader.ts");
export const MEMORY_LIMIT = 300 * 2 ** 20;
/** What is there before the first requests have warmed everything up does not count. */
const WARM_UP = 0.2;
const STOPPING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const PARAMS: Omit<PartcloneV2Params, "runs"> = {
  format: "partclone-v2",
  seed: 11,
  blockSize: 4096,
  tail: 512,
  fsType: "EXTFS",
  otherValues: false,
  byteOrder: "little",
  cpuBits: 64,
  checksumMode: "crc32",
  blocksPerChecksum: 64,
  reseed: true,
  bitmapMode: "bits",
  strayBits: false,
  usedSuperblockError: 0,
  usedBitmapError: 0,
};

export interface SoakImage {
  readonly image: string;
  readonly truth: string;
}

/** An image of so many MiB and the partition that is in it, in files. */
export function soakImage(mebibytes: number): SoakImage & Folder {
  const blocks = mebibytes * 256;
  const runs: number[] = [];
  for (let left = blocks, turn = 0; left > 0; turn++) {
    const run = Math.min(left, 1 + ((turn * 37) % 300));
    runs.push(run);
    left -= run;
  }
  const { image, partition } = build({ ...PARAMS, runs });
  const made = folder();
  return { ...made, image: made.file("sda1.img", image), truth: made.file("truth", partition) };
}

export interface SoakOptions extends Omit<ReaderConfig, "file" | "truth"> {
  readonly verify: boolean;
  /** Bytes that the server and its page cache may have. */
  readonly memory?: number;
}

export interface SoakResult extends ReaderResult {
  readonly limit: string;
  /** Of the whole cgroup, page cache included; null without one. */
  readonly cgroupPeak: number | null;
  /** Resident bytes of the server: after the warm-up, at the end, at most. */
  readonly rss: { readonly early: number; readonly late: number; readonly most: number };
  /** File descriptors of the server, likewise. */
  readonly descriptors: { readonly early: number; readonly late: number };
}

interface Sample {
  readonly rss: number;
  readonly descriptors: number;
}

const sample = (pid: number): Sample => ({
  rss: usageOf(pid)?.bytes ?? 0,
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
});

/** Mounts under the memory limit, lets the readers at it, and looks at the server meanwhile. */
export async function soak(made: SoakImage, options: SoakOptions): Promise<SoakResult> {
  const { verify, memory = MEMORY_LIMIT, ...config } = options;
  await using limit = memoryLimit(memory);
  const mountOptions: CommandOptions = { prefix: limit.prefix, args: verify ? ["--verify"] : [] };
  await using mount = await mounted(made.image, mountOptions);
  const words: ReaderConfig = { ...config, file: mount.file, truth: made.truth };
  const child = Bun.spawn([process.execPath, READER, JSON.stringify(words)], {
    // As many threads as readers: the runtime's pool is as large as the machine otherwise.
    env: { ...process.env, UV_THREADPOOL_SIZE: String(config.readers) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Who stops it, by Ctrl-C too, gets the mount away with it.
  const stop = () => child.kill("SIGKILL");
  for (const signal of STOPPING) process.once(signal, stop);
  const samples: Sample[] = [];
  const timer = setInterval(() => samples.push(sample(mount.pid)), 100);
  try {
    const said = await child.stdout.text();
    if (said === "") throw new Error("the readers were stopped");
    const result = JSON.parse(said) as ReaderResult;
    samples.push(sample(mount.pid));
    const early = samples[Math.floor(samples.length * WARM_UP)] ?? sample(mount.pid);
    const late = sample(mount.pid);
    return {
      ...result,
      limit: limit.by,
      cgroupPeak: limit.peak(),
      rss: { early: early.rss, late: late.rss, most: Math.max(...samples.map(({ rss }) => rss)) },
      descriptors: { early: early.descriptors, late: late.descriptors },
    };
  } finally {
    for (const signal of STOPPING) process.off(signal, stop);
    clearInterval(timer);
    stop();
    await child.exited;
    if (mount.unmount().code === 0) await mount.ended();
  }
}
