// Hours of work in minutes: bun run soak [--seconds N] [--requests N]
import { parseArgs } from "node:util";
import { type SoakResult, soak, soakImage } from "./soak.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    requests: { type: "string", default: "10000000" },
  },
});
const READERS = 64;
const FLAT = 1.25;

const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);

/** Says what came of it; is all as it should be? */
function report(title: string, result: SoakResult): boolean {
  const { requests, bytes, wrong, seconds, limit, cgroupPeak, rss, descriptors } = result;
  const rate = Math.round(requests / seconds);
  const peak =
    cgroupPeak === null ? "" : `, ${mebibytes(cgroupPeak)} MiB charged to it with its page cache`;
  console.log(
    `${title}: ${requests} reads in ${Math.round(seconds)} s (${rate}/s, ${mebibytes(bytes)} MiB), ${wrong} wrong`,
  );
  console.log(
    `  server: ${mebibytes(rss.early)} MiB resident early, ${mebibytes(rss.late)} late, ${mebibytes(rss.most)} at most${peak}; limit: ${limit}`,
  );
  console.log(`  descriptors: ${descriptors.early} early, ${descriptors.late} late`);
  return wrong === 0 && rss.late <= rss.early * FLAT && descriptors.late <= descriptors.early;
}

using made = soakImage(64);
const load = { readers: READERS, seed: 1, seconds: Number(values.seconds) };
const day = { readers: READERS, seed: 2, requests: Number(values.requests), size: 4096 };
const outcomes = [
  report("64 readers", await soak(made, { ...load, verify: false })),
  report("64 readers, --verify", await soak(made, { ...load, verify: true })),
  report("4 KiB, direct", await soak(made, { ...day, verify: false })),
];
process.exitCode = outcomes.every(Boolean) ? 0 : 1;
