import { SingleBar } from "cli-progress";
import { humanSize } from "../bytes/sizes.ts";

export interface Progress {
  /** Bytes done so far. */
  update(done: number): void;
  stop(): void;
}

const LINE_EVERY_PERCENT = 10;

export const noProgress: Progress = { update() {}, stop() {} };

/**
 * Progress of long work on standard error: a bar with rate and remaining time on a terminal, a
 * plain line each 10 % otherwise. `total`: bytes in all, an estimate where a pipe does not tell.
 */
export function showProgress(label: string, total: number): Progress {
  return process.stderr.isTTY ? bar(label, total) : lines(label, total);
}

function bar(label: string, total: number): Progress {
  const start = performance.now();
  const rate = (done: number) => (done / (performance.now() - start)) * 1000;
  const single = new SingleBar({
    format: `${label} [{bar}] {percentage}% {done} of {all}, {rate}/s, {left} left`,
    barsize: 24,
    hideCursor: true,
    clearOnComplete: false,
    stream: process.stderr,
    fps: 5,
  });
  const shown = (done: number) => {
    const seconds = Math.ceil(Math.max(0, total - done) / (rate(done) || Infinity));
    const left = Number.isFinite(seconds) ? duration(seconds) : "?";
    return { done: humanSize(done), all: humanSize(total), rate: humanSize(rate(done)), left };
  };
  single.start(total, 0, shown(0));
  return {
    update: (done) => single.update(Math.min(done, total), shown(done)),
    stop: () => single.stop(),
  };
}

function lines(label: string, total: number): Progress {
  let next = LINE_EVERY_PERCENT;
  return {
    update(done) {
      const percent = Math.floor((done / Math.max(1, total)) * 100);
      if (percent < next) return;
      next = Math.min(percent - (percent % LINE_EVERY_PERCENT) + LINE_EVERY_PERCENT, 101);
      process.stderr.write(`${label}: ${Math.min(percent, 100)} % of ${humanSize(total)}\n`);
    },
    stop() {},
  };
}

/** `1:02:03`, `4:05` */
function duration(seconds: number): string {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const [hours = 0, minutes = 0, rest = 0] = parts;
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
