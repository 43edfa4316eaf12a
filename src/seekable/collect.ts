/**
 * Decoded bytes are not in the heap that the engine looks at before it collects garbage: without
 * help a process keeps 100 MB more of them.
 */
const COLLECT_EVERY = 32 * 2 ** 20;

/** Tells of bytes that will be garbage soon. */
export function collector(): (bytes: number) => void {
  let since = 0;
  return (bytes) => {
    since += bytes;
    if (since < COLLECT_EVERY) return;
    since = 0;
    Bun.gc(true);
  };
}
