import { ImageBackupError } from "../bytes/errors.ts";
import type { Image } from "./image.ts";
import { planRead } from "./read-plan.ts";

/** A longer read is planned in parts, so that its pieces never outgrow the data they point to. */
const WINDOW = 8 * 2 ** 20;

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
    if (!Number.isSafeInteger(deviceOffset) || deviceOffset < 0) {
      throw new ImageBackupError(
        "OUT_OF_RANGE",
        `offset ${deviceOffset} is no byte of the partition`,
      );
    }
    const { deviceSize, source } = this.image;
    const length = Math.max(0, Math.min(into.length, deviceSize - deviceOffset));
    for (let from = 0; from < length; from += WINDOW) {
      const target = into.subarray(from, Math.min(from + WINDOW, length));
      for (const { pieces, imageOffset } of planRead(this.image, target, deviceOffset + from)) {
        const only = pieces.length === 1 ? pieces[0] : undefined;
        if (only) await source.read(only, imageOffset);
        else await source.readPieces(pieces, imageOffset);
      }
    }
    return length;
  }

  /** `size` bytes from byte `deviceOffset` of the partition; fewer only at the device's end. */
  async readData(deviceOffset: number, size: number): Promise<Uint8Array> {
    const available = Math.max(0, Math.min(size, this.image.deviceSize - deviceOffset));
    const data = new Uint8Array(available);
    await this.read(data, deviceOffset);
    return data;
  }
}
