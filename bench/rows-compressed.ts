/** Compressed images: the index, and what is read by it. */
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { must } from "./command.ts";
import { type Compressor, compressedVolume, compressors, decompressing } from "./compressed.ts";
import type { Lab } from "./lab.ts";
import { mounted, mountOurs, mountSeconds, ownCache, script, serverOf, unmount } from "./mounts.ts";
import { readWithFio } from "./reading.ts";
import { median, type Row } from "./row.ts";
import { volumeBytes } from "./volumes.ts";

/** Seconds that the processors worked for a command, in all its threads. */
function processorSeconds(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stderr, resourceUsage } = Bun.spawnSync([...argv], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "pipe"],
  });
  if (exitCode !== 0 || !resourceUsage) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return Number(resourceUsage.cpuTime.total) / 1e6;
}

const indexDirectory = (lab: Lab): string => join(ownCache(lab).XDG_CACHE_HOME ?? "", "vpartclone");

const withoutIndex = (lab: Lab): void =>
  rmSync(indexDirectory(lab), { recursive: true, force: true });

const indexing = (lab: Lab, by: Compressor): readonly string[] => [
  ...script("vpartclone"),
  compressedVolume(lab, by).image,
  "--index",
  "-q",
];

/** The image with its index made: a moment's work if it is. */
function indexedVolume(lab: Lab, by: Compressor) {
  must(indexing(lab, by), ownCache(lab));
  return compressedVolume(lab, by);
}

/** The index of one image alone. */
function indexBytes(lab: Lab, by: Compressor): number {
  withoutIndex(lab);
  must(indexing(lab, by), ownCache(lab));
  const [index = "", ...others] = readdirSync(indexDirectory(lab));
  if (others.length > 0) throw new Error(`more than one index: ${others.join(", ")}`);
  return statSync(join(indexDirectory(lab), index)).size;
}

const PIECE = 128 * 1024;
const READS = 200;

/** The median of reads of 128 KiB each, anywhere in what is used; every byte is compared. */
async function randomReadSeconds(lab: Lab, by: Compressor): Promise<number> {
  const volume = indexedVolume(lab, by);
  const [ours, raw] = [await mounted(lab, "ours", volume), volume.raw].map((path) =>
    openSync(path, "r"),
  ) as [number, number];
  const [wanted, got] = [Buffer.alloc(PIECE), Buffer.alloc(PIECE)];
  const seconds: number[] = [];
  while (seconds.length < READS) {
    const at = Math.floor((Math.random() * volumeBytes(lab)) / PIECE) * PIECE;
    readSync(raw, wanted, 0, PIECE, at);
    // Blocks that the image lacks are no reads of it.
    if (wanted.every((byte) => byte === 0)) continue;
    const begin = performance.now();
    readSync(ours, got, 0, PIECE, at);
    seconds.push((performance.now() - begin) / 1000);
    if (!got.equals(wanted)) throw new Error(`${volume.image}: other bytes at ${at}`);
  }
  closeSync(ours);
  closeSync(raw);
  return median(seconds);
}

/** Volumes whose memory is measured are so many times as large: it must not grow with them. */
const COPIES = 3;

/** The most memory of a process that makes the index while all is read in order. */
async function peakMemory(lab: Lab, by: Compressor): Promise<number> {
  withoutIndex(lab);
  const { program, image } = compressedVolume(lab, by, COPIES);
  const file = mountOurs(lab, program, image);
  readWithFio(file, {
    pattern: "read",
    block: "1M",
    direct: true,
    jobs: 1,
    bytes: volumeBytes(lab) * COPIES,
  });
  const status = readFileSync(`/proc/${serverOf(file)}/status`, "utf8");
  await unmount(resolve(file, ".."));
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

const TITLES: Readonly<Record<Compressor, string>> = {
  zstd: "zstd -3",
  gzip: "pigz --rsyncable",
};

const rowsOf = (by: Compressor): readonly Row[] => [
  {
    id: `${by}-memory`,
    title: `${TITLES[by]}: peak memory, first mount of 6 GiB, read to the end`,
    bar: { kind: "at most", value: 400, unit: "MB" },
    quantity: "bytes",
    subjects: { ours: (lab) => peakMemory(lab, by) },
    result: (figure) => figure("ours") / 1e6,
    formula: "ours",
  },
  {
    id: `${by}-index`,
    title: `${TITLES[by]}: processor time of making the index`,
    bar: { kind: "at most", value: 2.5, unit: "x" },
    quantity: "seconds",
    subjects: {
      ours(lab) {
        withoutIndex(lab);
        return processorSeconds(indexing(lab, by), ownCache(lab));
      },
      decompressor: (lab) =>
        processorSeconds([...decompressing(by), compressedVolume(lab, by).image]),
    },
    result: (figure) => figure("ours") / figure("decompressor"),
    formula: "ours / decompressor",
  },
  {
    id: `${by}-index-size`,
    title: `${TITLES[by]}: the index's size, of the data`,
    bar: { kind: "at most", value: 0.5, unit: "%" },
    quantity: "bytes",
    subjects: {
      ours: (lab) => indexBytes(lab, by),
      data: (lab) => compressedVolume(lab, by).plainBytes,
    },
    result: (figure) => (figure("ours") / figure("data")) * 100,
    formula: "100 ours / data",
  },
  {
    id: `${by}-mount`,
    title: `${TITLES[by]}: a later mount until it answers`,
    bar: { kind: "at most", value: 300, unit: "ms" },
    quantity: "seconds",
    subjects: { ours: (lab) => mountSeconds(lab, indexedVolume(lab, by)) },
    result: (figure) => figure("ours") * 1000,
    formula: "ours",
  },
  {
    id: `${by}-random`,
    title: `${TITLES[by]}: a random read of 128 KiB`,
    bar: { kind: "at most", value: 15, unit: "ms" },
    quantity: "seconds",
    subjects: { ours: (lab) => randomReadSeconds(lab, by) },
    result: (figure) => figure("ours") * 1000,
    formula: "ours",
  },
];

const sequentialRow: Row = {
  id: "zstd-sequential",
  title: `${TITLES.zstd}: sequential, 1 MiB`,
  bar: { kind: "at least", value: 300, unit: "MB/s" },
  quantity: "bytes per second",
  subjects: {
    async ours(lab) {
      const file = await mounted(lab, "ours", indexedVolume(lab, "zstd"));
      const range = { bytes: volumeBytes(lab), jobs: 1 };
      return readWithFio(file, { pattern: "read", block: "1M", direct: true, ...range })
        .bytesPerSecond;
    },
  },
  result: (figure) => figure("ours") / 1e6,
  formula: "ours",
};

export const compressedRows: readonly Row[] = [...compressors.flatMap(rowsOf), sequentialRow];
