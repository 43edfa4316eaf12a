import { ImageBackupError } from "../bytes/errors.ts";

/** The path that stands for standard input. */
export const STANDARD_INPUT = "-";

/**
 * What arrives on standard input, through a FIFO or from a device. Read with the runtime's streams
 * and not with `fs.read`: those give up a read that waits for a slow writer when they are closed,
 * where a thread blocked in `read` would keep the process from ending.
 */
export function pipeChunks(path: string): AsyncIterable<Uint8Array> {
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

function cannotRead(name: string, error: unknown): ImageBackupError {
  const { message } = error as Error;
  return new ImageBackupError("SYSTEM", `${name}: ${message}`, {}, { cause: error });
}
