import type { PartcloneImage } from "./image.ts";

type OnBlock = (deviceOffset: number, block: Uint8Array) => void | Promise<void>;

/**
 * Cuts the stored data, which comes in pieces of any length, into blocks and says where each
 * belongs: the n-th stored block is the n-th present one.
 */
export function blockCutter(image: PartcloneImage, onBlock: OnBlock, onPiece: () => void) {
  const { blockSize, deviceSize } = image;
  const next = presentBlocks(image);
  /** The parts of a block that has not come whole: no more memory than has really come. */
  let parts: Uint8Array[] = [];
  let filled = 0;

  const deliver = (block: Uint8Array): void | Promise<void> => {
    const deviceOffset = next() * blockSize;
    const length = Math.min(blockSize, Math.max(0, deviceSize - deviceOffset));
    // Bytes past the device's end are cut (PC1-DEVICE-SIZE, PC2-DEVICE-SIZE).
    if (length > 0) return onBlock(deviceOffset, block.subarray(0, length));
  };

  return async (piece: Uint8Array): Promise<void> => {
    let at = 0;
    while (at < piece.length) {
      const part = piece.subarray(at, at + Math.min(blockSize - filled, piece.length - at));
      at += part.length;
      filled += part.length;
      parts.push(part);
      if (filled < blockSize) break;
      const pending = deliver(parts.length === 1 ? part : joined(parts, blockSize));
      if (pending) await pending;
      parts = [];
      filled = 0;
    }
    onPiece();
  };
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The present blocks in ascending order, one a call. */
function presentBlocks(image: PartcloneImage): () => number {
  let block = 0;
  let left = 0;
  return () => {
    while (left === 0) {
      const run = image.runAt(block, image.blockCount - block);
      if (run.stored) left = run.count;
      else block += run.count;
    }
    left--;
    return block++;
  };
}
