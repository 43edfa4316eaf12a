import { viewOf } from "../../bytes/view.ts";

const HEADER_SIZE = 13;
/** What every encoder in use writes: lc=3, lp=0, pb=2. */
const USUAL_PROPERTIES = 0x5d;
const UNKNOWN_SIZE = 2n ** 64n - 1n;
/** xz's own bound for telling a .lzma file from something else: 256 GiB. */
const MAX_PLAUSIBLE_SIZE = 2n ** 38n;

/**
 * A .lzma file has no magic number; xz tells it by plausible header fields, and so do we: the
 * usual properties, a dictionary of 2^n or 2^n + 2^(n-1) bytes, and a size that a file can have.
 */
export function isLzma(head: Uint8Array): boolean {
  // The compressed data begins with a zero byte.
  if (head.length <= HEADER_SIZE || head[0] !== USUAL_PROPERTIES || head[HEADER_SIZE] !== 0) {
    return false;
  }
  const fields = viewOf(head);
  const size = fields.getBigUint64(5, true);
  const isSize = size === UNKNOWN_SIZE || size < MAX_PLAUSIBLE_SIZE;
  return isSize && isDictionarySize(fields.getUint32(1, true));
}

function isDictionarySize(size: number): boolean {
  const power = 2 ** Math.floor(Math.log2(size));
  return size >= 4096 && (size === power || size === power * 1.5 || size === 0xffffffff);
}
