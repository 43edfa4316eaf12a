import { createGunzip } from "node:zlib";
import type { ByteStream } from "../source.ts";
import { chunksOf } from "./chunks.ts";
import { damaged } from "./damaged.ts";
import { decompressed, OUTPUT_CHUNK_SIZE } from "./zlib-stream.ts";

/** Decompresses gzip members one after the other (RFC 1952), with zeros allowed after the last. */
export async function* gunzip(input: ByteStream): AsyncGenerator<Uint8Array> {
  const decompressor = createGunzip({ chunkSize: OUTPUT_CHUNK_SIZE });
  // The decompressor stops at the first zero byte where a member could begin and ignores the rest,
  // so whether the rest is all zeros is seen here.
  const seen = { bytes: 0, nonZeroEnd: 0 };
  yield* decompressed(input, "gzip", decompressor, watched(input, seen));
  for await (const _ of watched(input, seen));
  if (seen.nonZeroEnd > decompressor.bytesWritten) {
    throw damaged(input, "gzip", "something that is not gzip follows the last member");
  }
}

async function* watched(
  input: ByteStream,
  seen: { bytes: number; nonZeroEnd: number },
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunksOf(input)) {
    const last = chunk.findLastIndex((byte) => byte !== 0);
    if (last >= 0) seen.nonZeroEnd = seen.bytes + last + 1;
    seen.bytes += chunk.length;
    yield chunk;
  }
}
