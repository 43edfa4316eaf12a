import { copyLiterals, copyMatch } from "./copies.ts";

/** How far back a match may begin, and so how much of the output a following block needs. */
export const HISTORY_SIZE = 64 * 1024;

const MIN_MATCH = 4;
/** A length's four bits; at this value more bytes follow. */
const MORE_LENGTH = 15;

/**
 * Decodes one LZ4 block into `output` from byte `start`, with matches back to byte `oldest`.
 * Returns where the output ends, or `null` where the block contradicts itself or needs more room.
 */
export function decodeLz4Block(
  block: Uint8Array,
  output: Uint8Array,
  start: number,
  oldest: number,
): number | null {
  let at = 0;
  let to = start;
  const lengthFrom = (bits: number): number => {
    let length = bits;
    for (let byte = bits === MORE_LENGTH ? 255 : 0; byte === 255; length += byte) {
      // Past the end NaN, which no comparison below lets pass.
      byte = block[at++] ?? Number.NaN;
    }
    return length;
  };
  for (;;) {
    const token = block[at++] ?? Number.NaN;
    const literals = lengthFrom(token >>> 4);
    if (!(at + literals <= block.length && to + literals <= output.length)) return null;
    copyLiterals(block, at, output, to, literals);
    at += literals;
    to += literals;
    // The last sequence has literals only.
    if (at === block.length) return to;
    const distance = (block[at++] ?? 0) | ((block[at++] ?? 0) << 8);
    const match = lengthFrom(token & MORE_LENGTH) + MIN_MATCH;
    if (distance === 0 || to - distance < oldest || !(to + match <= output.length)) return null;
    copyMatch(output, to, distance, match);
    to += match;
  }
}
