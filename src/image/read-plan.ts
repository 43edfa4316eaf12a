import type { Image, Stored } from "./image.ts";

/** One positional read of the image file: consecutive bytes into consecutive pieces. */
export interface Batch {
  readonly imageOffset: number;
  readonly pieces: Uint8Array[];
  /** Byte offset in the image file after the last piece. */
  end: number;
}

/** readv takes at most 1024 pieces (IOV_MAX); a piece may need one more for the gap before it. */
const MOST_PIECES = 1022;

/** A gap up to this size is read into scratch space; beyond it a new read is cheaper. */
const MOST_SKIPPED = 4096;
const scratch = new Uint8Array(MOST_SKIPPED);
/** The few sizes that gaps have (checksums, a command byte), so that no piece is made twice. */
const scratchPieces = new Map<number, Uint8Array>();

/**
 * Zeroes the holes of `target` and says what to read for the rest. The stored blocks of any range
 * of a partition are consecutive in a partclone image, so that one read serves any request.
 */
export function planRead(image: Image, target: Uint8Array, deviceOffset: number): Batch[] {
  const { blockSize, blockCount } = image;
  const plan: Batch[] = [];
  const end = deviceOffset + target.length;
  let at = deviceOffset;
  while (at < end) {
    const block = Math.floor(at / blockSize);
    if (block >= blockCount) {
      target.fill(0, at - deviceOffset);
      break;
    }
    const run = image.runAt(block, Math.ceil(end / blockSize) - block);
    const runEnd = Math.min((block + run.count) * blockSize, end);
    const part = target.subarray(at - deviceOffset, runEnd - deviceOffset);
    if (run.stored === null) part.fill(0);
    else addStored(plan, part, run.stored, blockSize, at - block * blockSize);
    at = runEnd;
  }
  return plan;
}

/** Adds the reads of `part`, which begins `skip` bytes into the run's first block. */
function addStored(
  plan: Batch[],
  part: Uint8Array,
  { imageOffset, untilGap, gapEvery, gapBytes }: Stored,
  blockSize: number,
  skip: number,
): void {
  let done = 0;
  let at = imageOffset + skip;
  let room = untilGap * blockSize - skip;
  while (done < part.length) {
    const length = Math.min(room, part.length - done);
    addPiece(plan, length === part.length ? part : part.subarray(done, done + length), at);
    done += length;
    at += length + gapBytes;
    room = gapEvery * blockSize;
  }
}

function addPiece(plan: Batch[], piece: Uint8Array, imageOffset: number): void {
  const last = plan.at(-1);
  const gap = last ? imageOffset - last.end : -1;
  if (!last || gap < 0 || gap > MOST_SKIPPED || last.pieces.length >= MOST_PIECES) {
    plan.push({ imageOffset, pieces: [piece], end: imageOffset + piece.length });
    return;
  }
  if (gap > 0) last.pieces.push(scratchPiece(gap));
  last.pieces.push(piece);
  last.end = imageOffset + piece.length;
}

function scratchPiece(size: number): Uint8Array {
  const known = scratchPieces.get(size);
  if (known) return known;
  const piece = scratch.subarray(0, size);
  scratchPieces.set(size, piece);
  return piece;
}
