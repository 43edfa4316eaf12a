import { ImageBackupError } from "../bytes/errors.ts";
import { handOver } from "../bytes/hand-over.ts";
import type { BackupImage, BlockReaderOptions } from "../image/backup-image.ts";
import { dumpText } from "../image/dump.ts";
import { noProgress, showProgress } from "../image/progress.ts";
import { bitmapBytes } from "../image/rank.ts";
import type { Finding } from "../image/rules.ts";
import { type ImageInput, type OpenedInput, openInput } from "../source/input.ts";
import type { ByteStream } from "../source/source.ts";
import { SourceStream } from "../source/stream.ts";
import { blockCutter } from "./block-cutter.ts";
import { checksumOf } from "./checksums.ts";
import { type Description, describe, type Geometry } from "./description.ts";
import { details } from "./details.ts";
import { PartcloneImage } from "./image.ts";
import { type Strip, walkStrips } from "./strips.ts";

/** A partclone image of format 0001 or 0002. */
export class PartClone extends PartcloneImage implements BackupImage {
  readonly tool = "partclone";
  readonly findings: readonly Finding[];
  readonly #description: Description;
  readonly #geometry: Geometry;
  readonly #input: OpenedInput;
  #wasRead = false;

  private constructor(input: OpenedInput, description: Description) {
    const { parts } = PartcloneImage.from(input.source, description);
    super(input.source, parts);
    this.#input = input;
    this.#description = description;
    this.#geometry = parts.geometry;
    this.findings = description.findings;
  }

  /**
   * Reads header and bitmap. `indexSize`: blocks under one count of the rank index (1024).
   * Throws NOT_AN_IMAGE, UNSUPPORTED or CORRUPT with the broken rule's id, SYSTEM if it cannot be
   * opened. Dispose of the image to close it.
   */
  static async open(
    input: ImageInput,
    { indexSize }: { readonly indexSize?: number } = {},
  ): Promise<PartClone> {
    return handOver(
      await openInput(input),
      async (opened) => new PartClone(opened, await describe(opened.stream, indexSize)),
    );
  }

  get totalBlocks(): number {
    return this.#geometry.totalBlocks;
  }

  get usedBlocks(): number {
    return this.#geometry.usedBlocks;
  }

  get totalSize(): number {
    return this.deviceSize;
  }

  /** `NONE`, `CRC32`, `XXH64` or `XXH128`. */
  get checksumMode(): string {
    return this.#geometry.checksum;
  }

  blockInUse(n: number): boolean {
    this.#requireBlock(n);
    return this.has(n);
  }

  blockOffset(n: number): number | null {
    this.#requireBlock(n);
    return this.runAt(n, 1).stored?.imageOffset ?? null;
  }

  get bitmap(): Uint8Array {
    const size = Math.ceil(this.totalBlocks / 8);
    const words = this.parts.bitmap?.words;
    if (words) return new Uint8Array(words.buffer, 0, size);
    const bits = bitmapBytes(this.totalBlocks).fill(0xff);
    const stray = size * 8 - this.totalBlocks;
    if (size > 0) bits[size - 1] = 0xff >>> stray;
    return bits;
  }

  async blockReader(options: BlockReaderOptions): Promise<void> {
    const { onBlock, verifyCrc = false, progressBar = false } = options;
    const geometry = this.#geometry;
    const stream = this.#dataStream();
    const checksum = verifyCrc ? await checksumOf(geometry) : null;
    const progress = progressBar ? showProgress(this.source.name, geometry.dataEnd) : noProgress;
    try {
      const end = await walkStrips(stream, geometry, checksum, {
        data: blockCutter(this, onBlock, () => progress.update(stream.position)),
        strip: (strip) => this.#require(strip),
      });
      if (end.missing > 0) throw this.#truncated(end.missing);
    } finally {
      progress.stop();
    }
  }

  override toString(): string {
    return dumpText("Partclone Header", details(this.#description));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }

  /** The image from its first stored block on. */
  #dataStream(): ByteStream {
    const { isSeekable, source, stream } = this.#input;
    if (isSeekable) return new SourceStream(source, this.#geometry.dataStart);
    if (this.#wasRead) {
      throw new ImageBackupError(
        "UNSUPPORTED",
        `${stream.name}: a pipe or a compressed image passes only once; open it again`,
      );
    }
    this.#wasRead = true;
    return stream;
  }

  #requireBlock(n: number): void {
    if (Number.isInteger(n) && n >= 0 && n < this.totalBlocks) return;
    throw new ImageBackupError(
      "OUT_OF_RANGE",
      `block ${n} is not one of the partition's ${this.totalBlocks} blocks`,
    );
  }

  #require({ verdict, number, imageOffset, firstRank }: Strip): void {
    if (verdict === "good") return;
    const block = this.blockAtRank(firstRank);
    throw new ImageBackupError(
      "BAD_CHECKSUM",
      `${this.source.name}: the checksum of strip ${number} (byte ${imageOffset} of the image) differs`,
      { imageOffset, deviceOffset: block * this.blockSize },
    );
  }

  #truncated(missing: number): ImageBackupError {
    const { dataEnd } = this.#geometry;
    return new ImageBackupError(
      "SHORT_READ",
      `${this.source.name}: the image is truncated: ${missing} of ${dataEnd} bytes are missing`,
      { imageOffset: dataEnd - missing },
    );
  }
}
