import type { Image, Run } from "../image/image.ts";
import { RankIndex, type RankParts } from "../image/rank.ts";
import { refusal } from "../image/rules.ts";
import type { ByteSource } from "../source/source.ts";
import type { Description, Geometry } from "./description.ts";
import { formatName } from "./layouts.ts";

/** What another thread needs to read the same image: plain data over shared memory. */
export interface PartcloneParts {
  readonly format: string;
  readonly fsType: string;
  readonly geometry: Geometry;
  readonly bitmap: RankParts | null;
}

/** A partclone image whose blocks can be read. */
export class PartcloneImage implements Image {
  readonly source: ByteSource;
  readonly parts: PartcloneParts;
  readonly format: string;
  readonly fsType: string;
  readonly deviceSize: number;
  readonly blockSize: number;
  readonly blockCount: number;
  readonly storedBlocks: number;
  readonly #bitmap: RankIndex | null;
  readonly #geometry: Geometry;

  constructor(source: ByteSource, parts: PartcloneParts) {
    const { geometry } = parts;
    this.source = source;
    this.parts = parts;
    this.format = parts.format;
    this.fsType = parts.fsType;
    this.deviceSize = geometry.deviceSize;
    this.blockSize = geometry.blockSize;
    this.blockCount = geometry.totalBlocks;
    this.storedBlocks = geometry.usedBlocks;
    this.#geometry = geometry;
    this.#bitmap = parts.bitmap && new RankIndex(parts.bitmap);
  }

  /** The image that `description` describes; throws if its data cannot be laid out. */
  static from(source: ByteSource, description: Description): PartcloneImage {
    if (!description.layout) throw refusal(source.name, description.refused);
    const { header, layout } = description;
    const { geometry, bitmap } = layout;
    const format = formatName(header);
    const parts = { format, fsType: header.fsType, geometry, bitmap: bitmap?.parts ?? null };
    return new PartcloneImage(source, parts);
  }

  /** Stored blocks before `block`: the number of the next stored block in the file's order. */
  rank(block: number): number {
    return this.#bitmap ? this.#bitmap.rank(block) : block;
  }

  /** The block with `rank` stored blocks before it. */
  blockAtRank(rank: number): number {
    return this.#bitmap ? this.#bitmap.select(rank) : rank;
  }

  has(block: number): boolean {
    return this.#bitmap ? this.#bitmap.has(block) : true;
  }

  runAt(block: number, limit: number): Run {
    const count = this.#bitmap
      ? this.#bitmap.runLength(block, limit)
      : Math.min(limit, this.blockCount - block);
    if (!this.has(block)) return { block, count, stored: null };
    const { blocksPerChecksum, checksumSize, dataStart, blockSize } = this.#geometry;
    const rank = this.rank(block);
    const strip = Math.floor(rank / blocksPerChecksum);
    return {
      block,
      count,
      stored: {
        imageOffset: dataStart + rank * blockSize + strip * checksumSize,
        untilGap: blocksPerChecksum - (rank % blocksPerChecksum),
        gapEvery: blocksPerChecksum,
        gapBytes: checksumSize,
      },
    };
  }
}
