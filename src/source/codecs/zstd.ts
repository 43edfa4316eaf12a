import { createZstdDecompress } from "node:zlib";
import type { ByteStream } from "../source.ts";
import { decompressed, OUTPUT_CHUNK_SIZE } from "./zlib-stream.ts";
import { zstdBlocks } from "./zstd-frames.ts";

/** Decompresses Zstandard frames one after the other (RFC 8878). */
export function unzstd(input: ByteStream): AsyncGenerator<Uint8Array> {
  const decompressor = createZstdDecompress({ chunkSize: OUTPUT_CHUNK_SIZE });
  return decompressed(input, "zstd", decompressor, zstdBlocks(input));
}
