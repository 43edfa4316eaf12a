import { ImageBackupError } from "../bytes/errors.ts";
import { BlockIO } from "../image/block-io.ts";
import type { Image } from "../image/image.ts";

/** A range of the partition that has a name in a file system. */
export interface Place {
  readonly name: string;
  readonly deviceOffset: number;
  readonly length: number;
}

/** What the rules about file systems see of an image. */
export class Partition {
  readonly deviceSize: number;
  readonly blockSize: number;
  readonly fsType: string;
  readonly #image: Image;
  readonly #io: BlockIO;

  constructor(image: Image) {
    this.#image = image;
    this.#io = new BlockIO(image);
    this.deviceSize = image.deviceSize;
    this.blockSize = image.blockSize;
    this.fsType = image.fsType;
  }

  /** The range's bytes; absent blocks, and what is past the device's end, are zeros. */
  async read(deviceOffset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    if (deviceOffset < this.deviceSize) await this.#io.read(bytes, deviceOffset);
    return bytes;
  }

  /** The bytes of a place that other places are found by; throws SHORT_READ if it is not stored. */
  async readStored(place: Place): Promise<Uint8Array> {
    if (this.holds(place)) return this.read(place.deviceOffset, place.length);
    throw new ImageBackupError("SHORT_READ", `what leads there is not stored: ${place.name}`);
  }

  /** Is all of a place on the device, and stored? */
  holds(place: Place): boolean {
    return this.isOnDevice(place) && this.firstMissing(place) === null;
  }

  isOnDevice({ deviceOffset, length }: Place): boolean {
    return deviceOffset >= 0 && deviceOffset + length <= this.deviceSize;
  }

  /** The first byte of a place that no stored block holds, `null` if all of it is stored. */
  firstMissing({ deviceOffset, length }: Place): number | null {
    const { blockSize, blockCount } = this.#image;
    const end = deviceOffset + length;
    let block = Math.floor(deviceOffset / blockSize);
    while (block * blockSize < end) {
      const from = Math.max(deviceOffset, block * blockSize);
      if (block >= blockCount) return from;
      const run = this.#image.runAt(block, Math.ceil(end / blockSize) - block);
      if (run.stored === null) return from;
      block += run.count;
    }
    return null;
  }
}
