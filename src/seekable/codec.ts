import type { ByteSource } from "../source/source.ts";

/** A place in compressed data at which decoding can begin. */
export interface Checkpoint {
  /** Byte offset in the uncompressed data of the first byte that is decoded from here. */
  readonly outOffset: number;
  /** Byte offset in the compressed data at which decoding begins. */
  readonly inOffset: number;
  /** Bits of the byte at `inOffset` that belong to what is before: 0 to 7. */
  readonly inBit: number;
  /** What the decoder must know of what is before, in the codec's own compact form; may be empty. */
  readonly state: Uint8Array;
}

/** What a pass through compressed data has come to. */
export type BuildEvent =
  | { readonly type: "checkpoint"; readonly checkpoint: Checkpoint }
  /**
   * The data end here, complete and with right checksums where they have them. `isProved`: all of
   * them have, and they were right in the pass or are proved by whoever reads a segment; false, too,
   * where that is not known of what is before the place a pass went on from.
   */
  | { readonly type: "end"; readonly outSize: number; readonly isProved: boolean };

export interface BuildOptions {
  /**
   * Where to go on; null: at the beginning. This checkpoint itself is not told again, and its state
   * is the pass's own: void once it has gone on.
   */
  readonly from: Checkpoint | null;
  /** Bytes of uncompressed data between two checkpoints, about; a codec may need more. */
  readonly spacing: number;
}

/** Compressed data between two checkpoints, or the last one and the end. */
export interface Segment {
  readonly from: Checkpoint;
  /**
   * Byte offset in the compressed data behind the last byte that the segment needs: where the next
   * checkpoint is (its byte included where `inBit` is not 0), or the end of the data.
   */
  readonly inEnd: number;
  /** Uncompressed bytes in the segment. */
  readonly length: number;
}

/** How data compressed in one way are read in any order. */
export interface SeekableCodec {
  /** As in the table of compressions: `gzip`, `zstd`, … */
  readonly name: string;
  /** Changes with the meaning of a checkpoint's state: a saved index of another version is void. */
  readonly version: number;
  /** Usual bytes of uncompressed data between two checkpoints. */
  readonly spacing: number;
  /**
   * Follows the data from `from` to their end; the first checkpoint of a whole pass is at 0. A
   * checkpoint may be told late, when its segment was decoded. A format's own checksum covers more
   * than a segment: what fails at its end was wrong before, so a pass that throws CORRUPT voids the
   * checkpoints that it told.
   * Throws CORRUPT, SHORT_READ or UNSUPPORTED with the place.
   */
  build(compressed: ByteSource, options: BuildOptions): AsyncIterable<BuildEvent>;
  /**
   * The segment's bytes, or throws CORRUPT: never other bytes. Never fewer than `needed`, its whole
   * length by default; a codec gives fewer than all where that is faster.
   */
  readSegment(compressed: ByteSource, segment: Segment, needed?: number): Promise<Uint8Array>;
}
