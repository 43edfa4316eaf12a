import { basename } from "node:path";
import { printable } from "../bytes/printable.ts";
import { humanSize } from "../bytes/sizes.ts";

export interface Progress {
  /** Bytes done so far. */
  update(done: number): void;
  /** Makes room for a message on standard error. */
  clear(): void;
  /** Ends the display; more calls do nothing. */
  stop(): void;
}

const LINE_EVERY_PERCENT = 10;
const REDRAW_EVERY_MS = 200;
const BAR_COLUMNS = 14;
/** What the bar and its numbers take of a line, and what is left for the name. */
const OTHER_COLUMNS = BAR_COLUMNS + 58;
const NAME_COLUMNS = { least: 8, most: 28 } as const;

export const noProgress: Progress = { update() {}, clear() {}, stop() {} };

/**
 * Progress of long work on standard error: a bar with rate and remaining time on a terminal, a
 * plain line each 10 % otherwise. `total`: bytes in all, an estimate where a pipe does not tell.
 */
export function showProgress(path: string, total: number): Progress {
  const hasCursor = process.stderr.isTTY && process.env.TERM !== "dumb";
  return hasCursor ? bar(path, total) : lines(path, total);
}

/** What is used of cli-progress. Its types are a package that those who use ours may lack. */
interface CliProgress {
  readonly MultiBar: new (options: {
    readonly format: string;
    readonly barsize: number;
    readonly linewrap: boolean;
    readonly forceRedraw: boolean;
  }) => {
    create(total: number, start: number, payload: object): Bar;
    update(): void;
    stop(): void;
  };
}
interface Bar {
  update(done: number, payload: object): void;
}

/**
 * A MultiBar with one bar, as a SingleBar goes back to where it began when it stops: over whatever
 * was said meanwhile. The cursor stays visible and lines wrap, so that an interrupt leaves the
 * terminal as it was.
 */
function bar(path: string, total: number): Progress {
  const start = performance.now();
  let shown = start;
  let done = 0;
  let isOver = false;
  const format = "{name} [{bar}] {percentage}% {status}";
  // Loaded when needed: it takes 8 ms, a seventh of a short check.
  const { MultiBar } = require("cli-progress") as CliProgress;
  const bars = new MultiBar({ format, barsize: BAR_COLUMNS, linewrap: true, forceRedraw: true });
  const name = shortName(path);
  const payload = () => ({ name, status: status(done, total, performance.now() - start, isOver) });
  const single = bars.create(total, 0, payload());
  const redraw = () => {
    single.update(Math.min(done, total), payload());
    bars.update();
  };
  return {
    update(bytes) {
      done = bytes;
      const now = performance.now();
      if (now - shown < REDRAW_EVERY_MS) return;
      shown = now;
      // Its own timer waits until the reading of a file, which is synchronous, pauses.
      redraw();
    },
    clear() {
      if (!isOver) process.stderr.write("\r\x1b[K");
    },
    stop() {
      if (isOver) return;
      isOver = true;
      redraw();
      bars.stop();
    },
  };
}

/** `341.0 MiB of 2.1 GiB, 761.4 MiB/s, 0:03 left` */
function status(done: number, total: number, elapsed: number, isOver: boolean): string {
  const amount = `${humanSize(done)} of ${humanSize(total)}`;
  if (done === 0 || elapsed < REDRAW_EVERY_MS) return amount;
  const perSecond = (done / elapsed) * 1000;
  const left = duration(Math.ceil(Math.max(0, total - done) / perSecond));
  const time = isOver ? `in ${duration(Math.ceil(elapsed / 1000))}` : `${left} left`;
  return `${amount}, ${humanSize(perSecond)}/s, ${time}`;
}

/** What does not fit is cut off at the line's end, which is worse. */
function shortName(path: string): string {
  const name = path === "-" ? "standard input" : printable(basename(path));
  const { least, most } = NAME_COLUMNS;
  const room = Math.min(Math.max(process.stderr.columns - OTHER_COLUMNS, least), most);
  return name.length > room ? `${name.slice(0, room - 1)}…` : name;
}

function lines(path: string, total: number): Progress {
  let next = LINE_EVERY_PERCENT;
  return {
    update(done) {
      const part = Math.min(done / Math.max(1, total), 1) * 100;
      const percent = part - (part % LINE_EVERY_PERCENT);
      if (percent < next) return;
      next = percent + LINE_EVERY_PERCENT;
      process.stderr.write(`${printable(path)}: ${percent} % of ${humanSize(total)}\n`);
    },
    clear() {},
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
