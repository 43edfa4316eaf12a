import type { PartcloneImage } from "./image.ts";

type OnBlock = (deviceOffset: number, block: Uint8Array) => void | Promise<void>;

/**
 * Cuts the stored data, which comes in pieces of any length, into blocks and says where each
 * belongs: the n-th stored block is the n-th present one.
 */
export function blockCutter(image: PartcloneImage, onBlock: OnBlock, onPiece: () => void) {
  const { blockSize, deviceSize } = image;
  const next = presentBlocks(image);
  /** A block of which only the beginning has come. */
  let partial = new Uint8Array(blockSize);
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
      const isWhole = filled === 0 && piece.length - at >= blockSize;
      const part = piece.subarray(at, at + Math.min(blockSize - filled, piece.length - at));
      at += part.length;
      let block: Uint8Array | null = part;
      if (!isWhole) {
        partial.set(part, filled);
        filled += part.length;
        block = filled === blockSize ? partial : null;
      }
      if (!block) break;
      const pending = deliver(block);
      if (pending) await pending;
      if (!isWhole) {
        partial = new Uint8Array(blockSize);
        filled = 0;
      }
    }
    onPiece();
  };
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
