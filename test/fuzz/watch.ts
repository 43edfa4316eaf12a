import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Event, Range } from "./child.ts";

const CHILD = join(import.meta.dirname, "child.ts");
const LOOK_EVERY_MS = 100;

/** For one case: processor time, as the machine may be busy; time, for what waits in vain; memory. */
export const LIMITS = { cpuSeconds: 5, seconds: 120, bytes: 512 * 2 ** 20 } as const;

const TICKS_PER_SECOND = 100;
const PAGE = 4096;

/** Processor seconds and resident bytes of a process; null once it has ended. */
export function usageOf(pid: number): { cpu: number; bytes: number } | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command's name, in parentheses, may hold blanks.
    const fields = stat
      .slice(stat.lastIndexOf(")") + 2)
      .split(" ")
      .map(Number);
    const [user = 0, system = 0] = fields.slice(11, 13);
    return { cpu: (user + system) / TICKS_PER_SECOND, bytes: (fields[21] ?? 0) * PAGE };
  } catch {
    return null;
  }
}

export interface Finding {
  readonly number: number;
  readonly what: string;
}

export interface Tally {
  readonly outcomes: Map<string, number>;
  readonly findings: Finding[];
  peakBytes: number;
}

export interface Observer {
  onCase?(): void;
  onFinding?(finding: Finding): void;
}

/** Where a child is, as far as it has said. */
interface Place {
  number: number;
  since: number;
  cpuBefore: number;
}

/** Runs the range; a case that ends its process, or must be ended, is a finding, and skipped. */
export async function runRange(range: Range, tally: Tally, observer: Observer): Promise<void> {
  const end = range.from + range.count;
  for (let from = range.from; from < end; ) {
    from = await runChild({ ...range, from, count: end - from }, tally, observer);
  }
}

/** Runs cases in one child until it ends; the number of the case to go on with. */
async function runChild(range: Range, tally: Tally, observer: Observer): Promise<number> {
  const child = Bun.spawn({
    cmd: [process.execPath, CHILD, JSON.stringify(range)],
    stdio: ["ignore", "pipe", "pipe"],
  });
  const place: Place = { number: range.from, since: performance.now(), cpuBefore: 0 };
  const found = (finding: Finding) => {
    tally.findings.push(finding);
    observer.onFinding?.(finding);
  };
  let excess: string | null = null;
  const watch = setInterval(() => {
    excess ??= excessOf(child.pid, place, tally);
    if (excess !== null) child.kill("SIGKILL");
  }, LOOK_EVERY_MS);
  try {
    const errors = new Response(child.stderr).text();
    await readEvents(child.stdout, (event) => {
      if (event.type === "at") {
        const cpuBefore = usageOf(child.pid)?.cpu ?? 0;
        Object.assign(place, { number: event.number, since: performance.now(), cpuBefore });
      } else if (event.type === "came") {
        tally.outcomes.set(event.outcome, (tally.outcomes.get(event.outcome) ?? 0) + 1);
        observer.onCase?.();
      } else found({ number: event.number, what: event.what });
    });
    const status = await child.exited;
    if (status === 0) return range.from + range.count;
    const what = excess ?? `ended with ${child.signalCode ?? status}: ${await errors}`;
    found({ number: place.number, what });
    return place.number + 1;
  } finally {
    clearInterval(watch);
    child.kill("SIGKILL");
  }
}

function excessOf(pid: number, place: Place, tally: Tally): string | null {
  const usage = usageOf(pid);
  if (usage === null) return null;
  tally.peakBytes = Math.max(tally.peakBytes, usage.bytes);
  const seconds = (performance.now() - place.since) / 1000;
  if (usage.bytes > LIMITS.bytes) return `takes ${usage.bytes} bytes of memory`;
  if (usage.cpu - place.cpuBefore > LIMITS.cpuSeconds) return "takes too long";
  return seconds > LIMITS.seconds ? `waits for ${Math.round(seconds)} seconds` : null;
}

async function readEvents(output: ReadableStream<Uint8Array>, take: (event: Event) => void) {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of output) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(JSON.parse(line) as Event);
  }
}

/** Runs so many cases in two processes at once. */
export async function fuzz(range: Range, observer: Observer = {}): Promise<Tally> {
  const { seed, from, count } = range;
  const tally: Tally = { outcomes: new Map(), findings: [], peakBytes: 0 };
  const half = Math.ceil(count / 2);
  await Promise.all([
    runRange({ seed, from, count: half }, tally, observer),
    runRange({ seed, from: from + half, count: count - half }, tally, observer),
  ]);
  return tally;
}
