/**
 * Reads a stream in a process of its own and prints what it saw as one line of JSON.
 * `bun drain.ts PATH [STOP]`: STOP closes the stream after so many bytes.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { openStream } from "../../src/source/open-stream.ts";

export interface Drained {
  readonly bytes: number;
  readonly sha256: string;
  readonly peakMemory: number;
  readonly milliseconds: number;
  readonly error?: { readonly code: string; readonly message: string };
}

/** The most memory that was resident at once, in bytes. */
function peakMemory(): number {
  const kibibytes = /VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kibibytes) * 1024;
}

async function drain(path: string, stop: number): Promise<Drained> {
  const hash = createHash("sha256");
  const started = performance.now();
  let bytes = 0;
  let error: unknown;
  try {
    await using stream = await openStream(path);
    const buffer = new Uint8Array(Math.min(2 ** 20, stop));
    while (bytes < stop) {
      const count = await stream.read(buffer);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      bytes += count;
    }
  } catch (caught) {
    error = caught;
  }
  const milliseconds = performance.now() - started;
  const seen = { bytes, sha256: hash.digest("hex"), peakMemory: peakMemory(), milliseconds };
  if (!error) return seen;
  const { code, message } = error as NodeJS.ErrnoException;
  return { ...seen, error: { code: code ?? "", message } };
}

if (import.meta.main) {
  const [path = "-", stop = "Infinity"] = process.argv.slice(2);
  console.log(JSON.stringify(await drain(path, Number(stop))));
}
