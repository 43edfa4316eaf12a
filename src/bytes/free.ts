/** A smaller one may share its memory with others, as those of a Buffer's pool do. */
const LEAST = 2 ** 18;

/**
 * Gives the memory of large bytes back at once; whoever has a view of it sees it empty. It is not in
 * the heap that the engine looks at before it collects garbage: left to that, the first mount of a
 * zstd image of 14 GB takes 468 MB instead of 311, and reads a quarter less a second.
 */
export function free({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength >= LEAST) buffer.transfer(0);
}
