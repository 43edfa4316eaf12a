import {
  BLOCK_HEADER_SIZE,
  type BlockHeader,
  COMPRESSED_BLOCK,
  MAX_BLOCK_SIZE,
} from "../../source/codecs/zstd-header.ts";
import { areDescribed, toDictionary } from "./dictionary.ts";
import { type Part, Parts } from "./parts.ts";
import { NO_TABLES, readSections, type Sections, type Tables } from "./sections.ts";
import {
  areKnown,
  FIRST_REPEATS,
  followSequences,
  MARK_BITS,
  type Repeats,
  UNKNOWN_REPEATS,
} from "./sequences.ts";
import type { Frame } from "./walk.ts";

/** A place in a frame, with what a decoder must know there but the window. */
export interface Place {
  readonly frame: Frame;
  readonly frameAt: number;
  readonly tables: Tables;
  readonly repeats: Repeats;
}

/** A stretch of the compressed data as the pass cuts it; its decoded size is not yet known. */
export interface PlannedSegment {
  readonly inOffset: number;
  /** Where it begins, `null` between frames; for the decoder the same as `dictionary`. */
  readonly place: Place | null;
  readonly dictionary: Uint8Array;
  readonly parts: readonly Part[];
  /** All frames that it has a part of have checksums. */
  readonly isProved: boolean;
  /** Which bytes of the window are needed; see Marks. */
  readonly needed: Uint8Array;
  /** Bytes back to the first of them, and as far as a decoder wants to see the last offsets lead. */
  readonly reach: number;
  /** Decoded bytes, about. */
  readonly expected: number;
  /** All blocks that were followed are as large as can be, so the others are, too, as a rule. */
  readonly isExpected: boolean;
  /** It has no more than this. */
  readonly limit: number;
}

interface Block {
  /** In the frame's collected blocks. */
  readonly start: number;
  readonly end: number;
  readonly sections: Sections;
}

/** What a segment's blocks usually take. */
const ROOM = 3 * 2 ** 20;
/**
 * Sequences are followed for as much of a segment; of the rest the block sizes are estimated by
 * these. Nothing but the place of the next cut depends on it.
 */
const FOLLOWED_SHARE = 1 / 8;

/**
 * Takes a segment's blocks and follows what is needed to decode from its beginning and to begin
 * again at its end: tables always; sequences within the window after the beginning, which tell
 * what of the window is needed, and before the end as far as the last offsets depend on them.
 */
export class SegmentPlan {
  readonly #inOffset: number;
  readonly #start: Place | null;
  readonly #parts: Parts;
  readonly #followed: number;
  readonly #needed: Uint8Array;
  #frame: Frame | null;
  #frameAt: number;
  #tables: Tables;
  #repeats: Repeats;
  /** Compressed blocks of the frame in this segment, and the offsets before the first of them. */
  #blocks: Block[] = [];
  #firstRepeats: Repeats;
  #isRest: boolean;
  #isProved: boolean;
  #sample = { count: 0, size: 0 };
  #limit = 0;
  /** Decoded bytes so far, about. */
  size = 0;
  /** Bytes of the blocks as they are stored. */
  stored = 0;

  constructor(inOffset: number, start: Place | null, spacing: number) {
    this.#inOffset = inOffset;
    this.#start = start;
    this.#parts = new Parts(start?.frame ?? null, ROOM);
    this.#followed = spacing * FOLLOWED_SHARE;
    this.#needed = new Uint8Array(
      Math.ceil((start?.frame.header.windowSize ?? 0) / 2 ** MARK_BITS),
    );
    this.#frame = start?.frame ?? null;
    this.#isProved = start?.frame.header.hasChecksum ?? true;
    this.#frameAt = start?.frameAt ?? 0;
    this.#tables = start?.tables ?? NO_TABLES;
    this.#repeats = start?.repeats ?? FIRST_REPEATS;
    this.#firstRepeats = this.#repeats;
    this.#isRest = start !== null;
  }

  get isEmpty(): boolean {
    return this.stored === 0;
  }

  /** Another segment can begin here. */
  get canEnd(): boolean {
    return this.#frame === null || areDescribed(this.#tables);
  }

  beginFrame(frame: Frame, at: number): void {
    this.#parts.beginFrame(frame);
    this.#frame = frame;
    this.#frameAt = at;
    this.#isProved &&= frame.header.hasChecksum;
    this.#tables = NO_TABLES;
    this.#repeats = FIRST_REPEATS;
    this.#firstRepeats = FIRST_REPEATS;
    this.#blocks = [];
    this.#isRest = false;
  }

  endFrame(checksum: Uint8Array): void {
    this.#parts.endFrame(checksum);
    this.#frame = null;
  }

  add({ type, size }: BlockHeader, bytes: Uint8Array): void {
    const { blocks } = this.#parts;
    blocks.add(bytes);
    this.stored += bytes.length;
    if (type !== COMPRESSED_BLOCK) {
      this.size += size;
      this.#limit += size;
      return;
    }
    const body = bytes.subarray(BLOCK_HEADER_SIZE);
    const sections = readSections(body, this.#tables);
    this.#tables = sections.tables;
    this.#limit += MAX_BLOCK_SIZE;
    const end = blocks.length;
    if (sections.count > 0) this.#blocks.push({ start: end - body.length, end, sections });
    this.size += this.#sizeOf(body, sections);
  }

  #sizeOf(body: Uint8Array, sections: Sections): number {
    const isInWindow = this.#isRest && this.size < this.#needed.length << MARK_BITS;
    if (!isInWindow && this.#sample.count > 0 && this.size >= this.#followed) {
      if (sections.count > 0) this.#repeats = UNKNOWN_REPEATS;
      return this.#sample.size / this.#sample.count;
    }
    const marks = isInWindow ? { needed: this.#needed, position: this.size } : undefined;
    const { size, repeats } = followSequences(body, sections, this.#repeats, marks);
    this.#repeats = repeats;
    this.#sample.count++;
    this.#sample.size += size;
    return size;
  }

  /** Where the next segment begins. */
  end(): Place | null {
    if (this.#frame === null) return null;
    const place = { frame: this.#frame, frameAt: this.#frameAt, tables: this.#tables };
    return { ...place, repeats: this.#endRepeats() };
  }

  /** Follows ever more of the last blocks, until the offsets do not depend on what is before. */
  #endRepeats(): Repeats {
    if (areKnown(this.#repeats)) return this.#repeats;
    const bytes = this.#parts.blocks.bytes;
    for (let count = 1; ; count *= 2) {
      const isAll = count >= this.#blocks.length;
      let repeats = isAll ? this.#firstRepeats : UNKNOWN_REPEATS;
      for (const { start, end, sections } of this.#blocks.slice(-count)) {
        repeats = followSequences(bytes.subarray(start, end), sections, repeats).repeats;
      }
      if (isAll || areKnown(repeats)) return repeats;
    }
  }

  #reach(repeats: Repeats): number {
    return Math.max((this.#needed.lastIndexOf(1) + 1) << MARK_BITS, ...repeats);
  }

  finish(): PlannedSegment {
    const start = this.#start;
    return {
      inOffset: this.#inOffset,
      place: start,
      dictionary: start ? toDictionary(start.tables, start.repeats) : new Uint8Array(),
      parts: this.#parts.finish(),
      isProved: this.#isProved,
      needed: this.#needed,
      reach: start ? this.#reach(start.repeats) : 0,
      expected: Math.ceil(Math.min(this.size, this.#limit)),
      isExpected: this.#sample.size === this.#sample.count * MAX_BLOCK_SIZE,
      limit: this.#limit,
    };
  }
}
