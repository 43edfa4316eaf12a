import { ImageBackupError } from "../bytes/errors.ts";
import type { Decode } from "../source/compression.ts";
import type { ByteSource } from "../source/source.ts";
import { ChunkStream } from "../source/stream.ts";
import type { Segment } from "./codec.ts";
import { corrupt } from "./damage.ts";

/** One at a time: they take turns on one processor anyway, and each has a window. */
let last: Promise<void> = Promise.resolve();

/** A segment's bytes from whole streams in memory, by what reads such streams in order. */
export function decodeStreams(
  compressed: ByteSource,
  codec: string,
  decode: Decode,
  streams: readonly Uint8Array[],
  segment: Segment,
): Promise<Uint8Array> {
  const decoding = last.then(() => decodeNow(compressed, codec, decode, streams, segment));
  // Without what it gives, which may be large.
  last = decoding.then(
    () => {},
    () => {},
  );
  return decoding;
}

async function decodeNow(
  compressed: ByteSource,
  codec: string,
  decode: Decode,
  streams: readonly Uint8Array[],
  { from, length }: Segment,
): Promise<Uint8Array> {
  const content = new Uint8Array(length);
  if (streams.length === 0) return content;
  let size = 0;
  try {
    for await (const chunk of decode(new ChunkStream(compressed.name, inTurn(streams)))) {
      size += chunk.length;
      if (size > length) break;
      content.set(chunk, size - chunk.length);
      // Other work may go on meanwhile: decoding waits for nothing.
      await new Promise(setImmediate);
    }
  } catch (error) {
    if (!(error instanceof ImageBackupError) || error.code !== "CORRUPT") throw error;
    const reason = "it contradicts itself or its checksum";
    throw corrupt(compressed, codec, from.inOffset, reason, { cause: error });
  }
  if (size !== length) throw corrupt(compressed, codec, from.inOffset, "its size differs");
  return content;
}

async function* inTurn(streams: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* streams;
}
