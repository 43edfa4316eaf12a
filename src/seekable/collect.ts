/**
 * What decoders use is not in the heap that the engine looks at before it collects garbage: without
 * help an image by `xz -9` takes 100 MB more.
 */
const COLLECT_EVERY = 16 * 2 ** 20;

/**
 * Tells of bytes that were decoded. Memory of what is garbage then stays with the process: to give it
 * back to the system and get it anew, page by page, makes a random read take a fifth longer.
 */
export function collector(): (bytes: number) => void {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < COLLECT_EVERY) return;
    since = 0;
    Bun.gc(false);
  };
}
