import type { ByteSource } from "../source/source.ts";

/**
 * Is each checksum to be proved before its bytes are first read? `until-proved`: where the image has
 * checksums, and as long as the source has not proved its bytes in another way.
 */
export type Verify = boolean | "until-proved";

/** Where the blocks of a run are stored in the image file. */
export interface Stored {
  /** Byte offset in the image file of the run's first block. */
  readonly imageOffset: number;
  /** Blocks from the run's first to the next gap (a checksum, a command byte). */
  readonly untilGap: number;
  /** Blocks between two gaps after that. */
  readonly gapEvery: number;
  /** Bytes in each gap; 0 where blocks follow one another. */
  readonly gapBytes: number;
}

/** Consecutive blocks of the partition that are all stored, or all absent. */
export interface Run {
  readonly block: number;
  readonly count: number;
  /** `null`: a hole, which reads as zeros. */
  readonly stored: Stored | null;
}

/** A partition's image: which blocks are stored, and where. */
export interface Image {
  /** `partclone 0001`, `partclone 0002`, `ntfsclone 10.1`, … */
  readonly format: string;
  /** The file system as the image names it: `EXTFS`, `NTFS`, … */
  readonly fsType: string;
  /** Exact size of the partition in bytes; may be no multiple of the block size. */
  readonly deviceSize: number;
  /** Bytes in a block. */
  readonly blockSize: number;
  /** Blocks the image speaks of; bytes of the device past them read as zeros. */
  readonly blockCount: number;
  /** Blocks that are stored, or may have been where the image is broken off: all but the holes. */
  readonly storedBlocks: number;
  readonly source: ByteSource;
  /**
   * The run that begins at `block`, which is below the block count: at least one block, at most
   * `limit` (an image may stop earlier than the run really ends).
   */
  runAt(block: number, limit: number): Run;
}
