import { closeSync, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

const CHUNK_SIZE = 128 * 1024;

/** What arrives on standard input, through a FIFO or from a device. */
export function pipeChunks(path: string, stats: Stats): AsyncIterable<Uint8Array> {
  return stats.isFIFO() || stats.isSocket() ? awaitedChunks(path) : readyChunks(path);
}

/** The status of standard input, whatever it is connected to. */
export function standardInputStats(): Stats {
  try {
    return fstatSync(0);
  } catch (error) {
    throw cannotRead(STANDARD_INPUT, error);
  }
}

/**
 * Read with the runtime's streams and not with `fs.read`: those give up a read that waits for a
 * slow writer when they are closed, where a thread blocked in `read` keeps the process from ending.
 */
function awaitedChunks(path: string): AsyncIterable<Uint8Array> {
  const blob = path === STANDARD_INPUT ? Bun.stdin : Bun.file(path);
  const reader = blob.stream().getReader();
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done: false, value };
    } catch (error) {
      throw cannotRead(path, error);
    }
  };
  const end = async (): Promise<IteratorResult<Uint8Array>> => {
    await reader.cancel();
    return { done: true, value: undefined };
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/** Devices cannot be polled, and a file on standard input is read from where its offset stands. */
async function* readyChunks(path: string): AsyncGenerator<Uint8Array> {
  const isOwned = path !== STANDARD_INPUT;
  let fd = 0;
  try {
    if (isOwned) fd = openSync(path, "r");
    for (;;) {
      const chunk = new Uint8Array(CHUNK_SIZE);
      const count = readSync(fd, chunk, 0, chunk.length, null);
      if (count === 0) return;
      yield chunk.subarray(0, count);
    }
  } catch (error) {
    throw cannotRead(path, error);
  } finally {
    if (isOwned && fd > 0) closeSync(fd);
  }
}

function cannotRead(name: string, error: unknown): ImageBackupError {
  const { message } = error as Error;
  return new ImageBackupError("SYSTEM", `${name}: ${message}`, {}, { cause: error });
}
