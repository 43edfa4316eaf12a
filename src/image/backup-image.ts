import type { Image } from "./image.ts";
import type { Finding } from "./rules.ts";

export interface BlockReaderOptions {
  /**
   * Called for each used block, strictly in ascending order: `deviceOffset` is the block's byte
   * offset in the partition, `block` its bytes (fewer than the block size only where the device
   * ends within the block). The bytes belong to the caller. A promise is awaited.
   */
  readonly onBlock: (deviceOffset: number, block: Uint8Array) => void | Promise<void>;
  /** Throw BAD_CHECKSUM at the first strip whose checksum differs. Default: false. */
  readonly verifyCrc?: boolean;
  /** Show a progress bar on standard error. Default: false. */
  readonly progressBar?: boolean;
}

/** One line of an image's dump. */
export interface Detail {
  readonly name: string;
  readonly value: string | number | boolean | bigint | null;
  /** How people read the value, where it differs. */
  readonly text?: string;
}

/** What the library's classes have in common. */
export interface BackupImage extends Image, AsyncDisposable {
  /** `partclone` or `ntfsclone`. */
  readonly tool: string;
  /** Blocks (clusters) of the file system. */
  readonly totalBlocks: number;
  /** Blocks stored in the image. */
  readonly usedBlocks: number;
  /** Bytes of the partition, exactly; the same as `deviceSize`. */
  readonly totalSize: number;
  /** The rules of spec/ that the image breaks without being unreadable. */
  readonly findings: readonly Finding[];
  /** Is block `n` stored? Throws OUT_OF_RANGE for a block the partition does not have. */
  blockInUse(n: number): boolean;
  /** Byte offset in the image file of block `n`; `null` if it is not stored. */
  blockOffset(n: number): number | null;
  /** One bit a block, least significant first: 1 means stored. */
  readonly bitmap: Uint8Array;
  /** Reads every used block once. Works on pipes and compressed images, there only once. */
  blockReader(options: BlockReaderOptions): Promise<void>;
  /** The header and what is known of the data, a line each. */
  toString(): string;
}
