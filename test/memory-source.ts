import { ImageBackupError } from "../src/bytes/errors.ts";
import type { ByteSource } from "../src/source/source.ts";

/** An image in memory. */
export function memorySource(bytes: Uint8Array, name = "memory"): ByteSource {
  const read = (into: Uint8Array, at: number) => {
    if (at + into.length > bytes.length) {
      throw new ImageBackupError("SHORT_READ", `${name}: the image is truncated`, {
        imageOffset: at,
      });
    }
    into.set(bytes.subarray(at, at + into.length));
  };
  return {
    name,
    size: bytes.length,
    async read(into, at) {
      read(into, at);
    },
    async readPieces(pieces, at) {
      let from = at;
      for (const piece of pieces) {
        read(piece, from);
        from += piece.length;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The same as a pipe would bring it: in chunks of odd sizes. */
export async function* pieces(bytes: Uint8Array, sizes: readonly number[]) {
  let at = 0;
  for (let index = 0; at < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
