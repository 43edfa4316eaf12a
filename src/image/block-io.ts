import { ImageBackupError } from "../bytes/errors.ts";
import type { Image } from "./image.ts";
import { type Batch, planRead } from "./read-plan.ts";

/** A longer read is planned in parts, so that its pieces never outgrow the data they point to. */
const WINDOW = 8 * 2 ** 20;

function readBatch<T>(
  source: {
    read(into: Uint8Array, at: number): T;
    readPieces(pieces: readonly Uint8Array[], at: number): T;
  },
  { pieces, imageOffset }: Batch,
): T {
  const only = pieces.length === 1 ? pieces[0] : undefined;
  return only ? source.read(only, imageOffset) : source.readPieces(pieces, imageOffset);
}

/** Reads any range of the partition, with as few reads of the image file as its layout allows. */
export class BlockIO {
  readonly image: Image;

  constructor(image: Image) {
    this.image = image;
  }

  /**
   * Fills `into` from byte `deviceOffset` of the partition; absent blocks read as zeros. Returns
   * the bytes read: fewer than asked for only at the end of the device. Throws SHORT_READ where
   * the image file ends before the data.
   */
  async read(into: Uint8Array, deviceOffset: number): Promise<number> {
    const length = this.#available(into, deviceOffset);
    for (let from = 0; from < length; from += WINDOW) {
      const target = into.subarray(from, Math.min(from + WINDOW, length));
      for (const batch of planRead(this.image, target, deviceOffset + from)) {
        await readBatch(this.image.source, batch);
      }
    }
    return length;
  }

  /** The same, done when it returns; `null`, and nothing done, where the source has to wait. */
  readNow(into: Uint8Array, deviceOffset: number): number | null {
    const { now } = this.image.source;
    if (!now) return null;
    const length = this.#available(into, deviceOffset);
    const imageOffset = length === into.length ? this.#inOnePiece(deviceOffset, length) : null;
    if (imageOffset !== null) {
      now.read(into, imageOffset);
      return length;
    }
    for (let from = 0; from < length; from += WINDOW) {
      const target = into.subarray(from, Math.min(from + WINDOW, length));
      for (const batch of planRead(this.image, target, deviceOffset + from)) readBatch(now, batch);
    }
    return length;
  }

  /**
   * Where these bytes are in the image file, if they are there as they are. Most small reads are
   * like this, and a plan costs a tenth of one.
   */
  #inOnePiece(deviceOffset: number, length: number): number | null {
    const { image } = this;
    const { blockSize, blockCount } = image;
    const block = Math.floor(deviceOffset / blockSize);
    const blocks = Math.ceil((deviceOffset + length) / blockSize) - block;
    if (blocks < 1 || block + blocks > blockCount) return null;
    const { count, stored } = image.runAt(block, blocks);
    if (stored === null || count < blocks || stored.untilGap < blocks) return null;
    return stored.imageOffset + deviceOffset - block * blockSize;
  }

  /** Bytes that a read into `into` can get. */
  #available(into: Uint8Array, deviceOffset: number): number {
    if (!Number.isSafeInteger(deviceOffset) || deviceOffset < 0) {
      throw new ImageBackupError(
        "OUT_OF_RANGE",
        `offset ${deviceOffset} is no byte of the partition`,
      );
    }
    return Math.max(0, Math.min(into.length, this.image.deviceSize - deviceOffset));
  }

  /** `size` bytes from byte `deviceOffset` of the partition; fewer only at the device's end. */
  async readData(deviceOffset: number, size: number): Promise<Uint8Array> {
    const available = Math.max(0, Math.min(size, this.image.deviceSize - deviceOffset));
    const data = new Uint8Array(available);
    await this.read(data, deviceOffset);
    return data;
  }
}
