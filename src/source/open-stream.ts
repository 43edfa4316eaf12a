import { type Stats, statSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { handOver } from "../bytes/hand-over.ts";
import { type Compression, detectCompression, HEAD_SIZE } from "./compression.ts";
import { pipeChunks, STANDARD_INPUT, standardInputStats } from "./pipe.ts";
import type { ByteStream } from "./source.ts";
import { openStored } from "./stored.ts";
import { ChunkStream, SourceStream } from "./stream.ts";

/**
 * The bytes of an image in order, decompressed where they are compressed: of standard input (`-`),
 * of a pipe or a device, of a regular file or of the pieces of a split one. Disposing the stream closes what was opened.
 */
export async function openStream(path: string): Promise<ByteStream> {
  return decompressed(await openStoredStream(path));
}

/** The bytes of a stored stream, decompressed where they are compressed; owns `stored` from then on. */
export async function decompressed(stored: ByteStream): Promise<ByteStream> {
  return handOver(stored, async () => {
    const head = new Uint8Array(HEAD_SIZE);
    const compression = detectCompression(head.subarray(0, await stored.peek(head)));
    return compression ? openDecompressed(stored, compression) : stored;
  });
}

/** The bytes as they are stored. */
async function openStoredStream(path: string): Promise<ByteStream> {
  if (path === STANDARD_INPUT && (await isTerminal(0))) {
    const message = "-: standard input is a terminal; pipe an image into it";
    throw new ImageBackupError("SYSTEM", message);
  }
  const stats = path === STANDARD_INPUT ? standardInputStats() : pipeStats(path);
  if (stats) return new ChunkStream(path, pipeChunks(path, stats));
  const source = openStored(path);
  return owning(new SourceStream(source), source);
}

/** Its module is loaded when needed: it takes 10 ms. */
async function isTerminal(fd: number): Promise<boolean> {
  const { isatty } = await import("node:tty");
  return isatty(fd);
}

/** The status of a pipe or a device, `null` for anything else: opening that says what is wrong. */
function pipeStats(path: string): Stats | null {
  try {
    const stats = statSync(path);
    const isPipe = stats.isFIFO() || stats.isCharacterDevice() || stats.isBlockDevice();
    return isPipe ? stats : null;
  } catch {
    return null;
  }
}

async function openDecompressed(stored: ByteStream, compression: Compression): Promise<ByteStream> {
  const decode = await compression.load();
  return owning(new ChunkStream(stored.name, failingForGood(decode(stored))), stored);
}

/** The stream, which closes `owned` with itself: a read that waits for `owned` ends then. */
function owning(stream: ByteStream, owned: AsyncDisposable): ByteStream {
  const dispose = stream[Symbol.asyncDispose].bind(stream);
  return Object.assign(stream, {
    [Symbol.asyncDispose]: async () => {
      await Promise.all([dispose(), owned[Symbol.asyncDispose]()]);
    },
  });
}

/** A generator that has thrown ends; a reader that asks again must not take that for the end. */
function failingForGood(chunks: AsyncGenerator<Uint8Array>): AsyncIterable<Uint8Array> {
  let failure: { readonly error: unknown } | null = null;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    if (failure) throw failure.error;
    try {
      return await chunks.next();
    } catch (error) {
      failure = { error };
      throw error;
    }
  };
  return { [Symbol.asyncIterator]: () => ({ next, return: () => chunks.return(undefined) }) };
}
