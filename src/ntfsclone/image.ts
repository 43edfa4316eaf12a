import type { Image, Run } from "../image/image.ts";
import { refusal } from "../image/rules.ts";
import type { ByteSource } from "../source/source.ts";
import { type Clusters, clusterLength } from "./commands.ts";
import type { Description } from "./description.ts";
import { type Extents, lastStartingBy } from "./extents.ts";
import { formatName } from "./layout.ts";
import type { StreamFacts } from "./stream-rules.ts";

/** What another thread needs to read the same image: plain data over shared memory. */
export interface NtfscloneParts {
  readonly format: string;
  readonly clusters: Clusters;
  readonly extents: Extents;
  /**
   * Absent clusters from this position on may have been stored behind a break in the command
   * stream: reading them fails. `Infinity` for a sound image.
   */
  readonly unknownFrom: number;
}

/** An ntfsclone image whose clusters can be read. */
export class NtfscloneImage implements Image {
  readonly source: ByteSource;
  readonly parts: NtfscloneParts;
  readonly format: string;
  readonly fsType = "NTFS";
  readonly deviceSize: number;
  readonly blockSize: number;
  readonly blockCount: number;
  readonly storedBlocks: number;

  constructor(source: ByteSource, parts: NtfscloneParts) {
    const { clusterSize, clusterCount, deviceSize } = parts.clusters;
    this.source = source;
    this.parts = parts;
    this.format = parts.format;
    this.deviceSize = deviceSize;
    this.blockSize = clusterSize;
    // The position after the last cluster holds the backup boot sector, if the device reaches there.
    this.blockCount = clusterCount + (clusterLength(parts.clusters, clusterCount) > 0 ? 1 : 0);
    this.storedBlocks = this.#countStored();
  }

  /** The image that `description` describes; throws if its commands cannot be followed. */
  static from(source: ByteSource, description: Description): NtfscloneImage {
    if (!description.layout) throw refusal(source.name, description.refused);
    const { header, layout } = description;
    const { clusters, extents, facts } = layout;
    const unknownFrom = unknownFromOf(facts);
    const format = formatName(header);
    return new NtfscloneImage(source, { format, clusters, extents, unknownFrom });
  }

  has(block: number): boolean {
    const { starts, counts } = this.parts.extents;
    const extent = lastStartingBy(starts, block);
    return extent >= 0 && block < (starts[extent] ?? 0) + (counts[extent] ?? 0);
  }

  runAt(block: number, limit: number): Run {
    const { starts, counts, imageOffsets } = this.parts.extents;
    const extent = lastStartingBy(starts, block);
    const start = starts[extent] ?? 0;
    const left = extent < 0 ? 0 : start + (counts[extent] ?? 0) - block;
    if (left <= 0) {
      const next = starts[extent + 1] ?? this.blockCount;
      return this.#absent(block, Math.min(limit, next - block));
    }
    const stride = this.blockSize + 1;
    const imageOffset = (imageOffsets[extent] ?? 0) + (block - start) * stride;
    return {
      block,
      count: Math.min(left, limit),
      stored: { imageOffset, untilGap: 1, gapEvery: 1, gapBytes: 1 },
    };
  }

  #countStored(): number {
    const { extents, unknownFrom } = this.parts;
    const { starts, counts } = extents;
    let stored = Math.max(0, this.blockCount - unknownFrom);
    for (const [extent, start] of starts.entries()) {
      const end = start + (counts[extent] ?? 0);
      stored += Math.max(0, Math.min(end, unknownFrom) - start);
    }
    return stored;
  }

  #absent(block: number, count: number): Run {
    const { unknownFrom } = this.parts;
    if (block < unknownFrom) {
      return { block, count: Math.min(count, unknownFrom - block), stored: null };
    }
    // Past the end of the file, so that a read of it fails as one of a truncated image does.
    const beyond = { untilGap: Infinity, gapEvery: Infinity, gapBytes: 0 };
    return { block, count, stored: { imageOffset: this.source.size, ...beyond } };
  }
}

/**
 * Behind a break in the command stream any cluster may have been stored. Of a full image that can
 * only be those after the position reached; a metadata image goes back and forth, and is told by
 * what it stores first: $MFT, where a full image begins with cluster 0 (NTC-DATA-COMPLETE).
 */
function unknownFromOf({ end, negativeGaps, firstStored }: StreamFacts): number {
  if (!end.broken) return Infinity;
  return negativeGaps === 0 && firstStored === 0 ? end.position : 0;
}
