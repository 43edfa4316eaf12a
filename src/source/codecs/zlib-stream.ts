import type { Transform } from "node:stream";
import type { ByteStream } from "../source.ts";
import { chunksOf } from "./chunks.ts";
import { damaged } from "./damaged.ts";

/** Size of the decompressed chunks. */
export const OUTPUT_CHUNK_SIZE = 256 * 1024;

/** Runs `chunks` of `input` through one of the runtime's decompressors, as fast as it is read. */
export async function* decompressed(
  input: ByteStream,
  codec: string,
  decompressor: Transform,
  chunks: AsyncIterable<Uint8Array> = chunksOf(input),
): AsyncGenerator<Uint8Array> {
  // The iterator below throws it. An error that follows a disposal is nobody's.
  decompressor.on("error", () => {});
  const feeding = feed(chunks, decompressor);
  try {
    for await (const chunk of decompressor) yield chunk;
    await feeding;
  } catch (error) {
    throw isZlibError(error) ? damaged(input, codec, error.message, { cause: error }) : error;
  } finally {
    decompressor.destroy();
  }
}

/** Writes the chunks until they end, or the decompressor does, which may be before them. */
async function feed(chunks: AsyncIterable<Uint8Array>, decompressor: Transform): Promise<void> {
  try {
    for await (const chunk of chunks) {
      if (decompressor.destroyed) return;
      if (!decompressor.write(chunk)) await isReady(decompressor);
    }
    decompressor.end();
  } catch (error) {
    decompressor.destroy(error as Error);
  }
}

async function isReady(decompressor: Transform): Promise<void> {
  await new Promise<void>((resolve) => {
    const ready = () => {
      decompressor.off("drain", ready).off("close", ready);
      resolve();
    };
    decompressor.on("drain", ready).on("close", ready);
  });
}

/** zlib's own codes, Z_DATA_ERROR or ZSTD_error_checksum_wrong; anything else is not about data. */
function isZlibError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && /^Z(STD)?_/.test((error as NodeJS.ErrnoException).code ?? "");
}
