import { copyLiterals, copyMatch } from "./copies.ts";

/** The first byte of a block: above this, literals, so many more than this. */
const FIRST_LITERALS = 17;
/** Literals without a match before them: three more than are written, from four on. */
const LITERAL_RUN = 3;
/** After so many literals a short instruction means something else: 0 to 3, 4 for any more. */
const MANY = 4;
/** Where the largest offsets begin; a match that far away ends the block. */
const FAR = 0x4000;

/**
 * Decodes one block of LZO1X (Linux, Documentation/staging/lzo.rst) into `output`. Returns where the
 * output ends, or `null` where the block contradicts itself or needs more room.
 */
export function decodeLzoBlock(block: Uint8Array, output: Uint8Array): number | null {
  let at = 0;
  let to = 0;
  /** Past the end NaN, which no comparison below lets pass. */
  const next = () => block[at++] ?? Number.NaN;
  const lengthFrom = (bits: number, most: number): number => {
    if (bits > 0) return bits;
    let length = most;
    let byte = next();
    for (; byte === 0; byte = next()) length += 255;
    return length + byte;
  };
  const literals = (count: number): boolean => {
    if (!(at + count <= block.length && to + count <= output.length)) return false;
    copyLiterals(block, at, output, to, count);
    at += count;
    to += count;
    return true;
  };

  let before = 0;
  if ((block[0] ?? 0) > FIRST_LITERALS) {
    const count = next() - FIRST_LITERALS;
    if (!literals(count)) return null;
    before = Math.min(count, MANY);
  }
  for (;;) {
    const code = next();
    let length: number;
    let distance: number;
    let after = code & 3;
    if (code >= 64) {
      length = (code >> 5) + 1;
      distance = 1 + ((code >> 2) & 7) + next() * 8;
    } else if (code >= 16) {
      const isNear = code >= 32;
      length = 2 + (isNear ? lengthFrom(code & 31, 31) : lengthFrom(code & 7, 7));
      const low = next();
      distance = (low >> 2) + next() * 64;
      after = low & 3;
      if (isNear) distance += 1;
      else {
        distance += (code & 8) << 11;
        if (distance === 0) return at === block.length && length === 3 ? to : null;
        distance += FAR;
      }
    } else if (before === 0) {
      if (!literals(lengthFrom(code, 15) + LITERAL_RUN)) return null;
      before = MANY;
      continue;
    } else {
      const isFar = before === MANY;
      length = isFar ? 3 : 2;
      distance = (isFar ? 0x801 : 1) + (code >> 2) + next() * 4;
    }
    if (!(distance <= to && to + length <= output.length)) return null;
    copyMatch(output, to, distance, length);
    to += length;
    if (!literals(after)) return null;
    before = after;
  }
}
