import type { ByteStream } from "../source.ts";

const CHUNK_SIZE = 128 * 1024;

/** The rest of a stream in fresh chunks, as they can be handed to another owner. */
export async function* chunksOf(input: ByteStream): AsyncGenerator<Uint8Array> {
  for (;;) {
    const chunk = new Uint8Array(CHUNK_SIZE);
    const count = await input.read(chunk);
    if (count > 0) yield chunk.subarray(0, count);
    if (count < chunk.length) return;
  }
}
