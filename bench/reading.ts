import { must } from "./command.ts";

/** How a file is read, for fio. */
export interface Reading {
  readonly pattern: "read" | "randread";
  readonly block: "1M" | "4k";
  readonly direct: boolean;
  readonly jobs: number;
  /** Each job reads its own part of this many bytes once; null: anywhere in the file, for a second. */
  readonly bytes: number | null;
  readonly from?: number;
  /** Buffered reads begin with none of the file's pages cached, unless this says otherwise. */
  readonly keepCache?: boolean;
}

export interface Rate {
  readonly bytesPerSecond: number;
  readonly iops: number;
}

interface FioOutput {
  readonly jobs: readonly { readonly read: { readonly bw_bytes: number; readonly iops: number } }[];
}

export function readWithFio(file: string, reading: Reading): Rate {
  const { pattern, block, direct, jobs, bytes, from = 0, keepCache = false } = reading;
  const share = bytes === null ? 0 : Math.floor(bytes / jobs / 2 ** 20) * 2 ** 20;
  const range =
    bytes === null
      ? ["--time_based", "--runtime=1", "--norandommap", "--randrepeat=0"]
      : [`--size=${share}`, `--offset=${from}`, `--offset_increment=${share}`];
  const output = must([
    "fio",
    "--name=read",
    `--filename=${file}`,
    "--readonly",
    "--ioengine=psync",
    "--thread",
    "--group_reporting",
    "--output-format=json",
    `--rw=${pattern}`,
    `--bs=${block}`,
    `--invalidate=${keepCache ? 0 : 1}`,
    `--direct=${direct ? 1 : 0}`,
    `--numjobs=${jobs}`,
    ...range,
  ]);
  const [job] = (JSON.parse(output.slice(output.indexOf("{"))) as FioOutput).jobs;
  if (job === undefined) throw new Error(`fio said nothing of ${file}`);
  return { bytesPerSecond: job.read.bw_bytes, iops: job.read.iops };
}
