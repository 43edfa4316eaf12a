import type { Checksum } from "./checksums.ts";
import { PRESENT, type StoredBlock, type Strip } from "./fixture.ts";

export interface StripShape {
  readonly checksum: Checksum;
  /** 0: no checksums at all. */
  readonly blocksPerChecksum: number;
  readonly reseed: boolean;
  /** Bytes between a checksum and the next strip, for the 8-byte checksums of old version 0001. */
  readonly padding: (strip: number) => Uint8Array;
}

export interface StoredData {
  readonly pieces: readonly Uint8Array[];
  readonly stored: readonly StoredBlock[];
  readonly strips: readonly Strip[];
}

/** Stores the present blocks from byte `start` of the image, with a checksum after every strip. */
export function storeBlocks(
  partition: Uint8Array,
  present: Uint8Array,
  blockSize: number,
  start: number,
  shape: StripShape,
): StoredData {
  const blocks = Array.from(present.keys()).filter((block) => present[block] === PRESENT);
  const pieces: Uint8Array[] = [];
  const stored: StoredBlock[] = [];
  const strips: Strip[] = [];
  const perStrip = shape.blocksPerChecksum || Math.max(blocks.length, 1);
  let imageOffset = start;
  shape.checksum.reset();
  for (let first = 0; first < blocks.length; first += perStrip) {
    const stripBlocks = blocks.slice(first, first + perStrip);
    const stripOffset = imageOffset;
    for (const block of stripBlocks) {
      const bytes = partition.subarray(block * blockSize, (block + 1) * blockSize);
      shape.checksum.update(bytes);
      pieces.push(bytes);
      stored.push({ block, imageOffset, length: blockSize });
      imageOffset += blockSize;
    }
    if (shape.blocksPerChecksum === 0) continue;
    const ending = [shape.checksum.bytes(), shape.padding(strips.length)];
    const checksumSize = ending.reduce((sum, piece) => sum + piece.length, 0);
    strips.push({
      imageOffset: stripOffset,
      blocks: stripBlocks.length,
      checksumOffset: imageOffset,
      checksumSize,
    });
    pieces.push(...ending);
    imageOffset += checksumSize;
    if (shape.reseed) shape.checksum.reset();
  }
  return { pieces, stored, strips };
}

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
