import { ImageBackupError } from "../bytes/errors.ts";
import type { BackupImage, BlockReaderOptions } from "../image/backup-image.ts";
import { dumpText } from "../image/dump.ts";
import type { Run } from "../image/image.ts";
import { noProgress, type Progress, showProgress } from "../image/progress.ts";
import { bitmapBytes } from "../image/rank.ts";
import { type Finding, refusal } from "../image/rules.ts";
import { type ImageInput, type OpenedInput, openInput } from "../source/input.ts";
import type { ByteSource } from "../source/source.ts";
import { spool } from "../source/spool.ts";
import type { Clusters } from "./commands.ts";
import { type Description, type Front, follow, readFront } from "./description.ts";
import { details } from "./details.ts";
import { NtfscloneImage } from "./image.ts";
import { formatName } from "./layout.ts";
import { isMetadata, readIndexed } from "./read-clusters.ts";

/** An ntfsclone image, full or metadata. */
export class NtfsClone implements BackupImage {
  readonly tool = "ntfsclone";
  readonly format: string;
  readonly fsType = "NTFS";
  readonly deviceSize: number;
  readonly blockSize: number;
  readonly #input: OpenedInput;
  readonly #front: Front;
  readonly #clusters: Clusters;
  /** `null` until the commands of a pipe have passed. */
  #description: Description | null;
  /** `null` for a pipe or a compressed image: nothing can be read twice. */
  readonly #image: NtfscloneImage | null;

  private constructor(input: OpenedInput, front: Front, description: Description | null) {
    if (!front.layout) throw refusal(input.source.name, front.refused);
    const { header, layout } = front;
    this.#input = input;
    this.#front = front;
    this.#clusters = layout;
    this.#description = description;
    this.#image = description && NtfscloneImage.from(input.source, description);
    this.format = formatName(header);
    this.deviceSize = layout.deviceSize;
    this.blockSize = layout.clusterSize;
  }

  /**
   * Reads the header, and the commands of a file: they are the format's only index. Throws
   * NOT_AN_IMAGE, UNSUPPORTED or CORRUPT with the broken rule's id, SYSTEM if it cannot be opened.
   * A metadata image from a pipe is kept in a temporary file, as its clusters come in any order.
   * Dispose of the image to close it.
   */
  static async open(input: ImageInput): Promise<NtfsClone> {
    let opened = await openInput(input);
    try {
      if (!opened.isSeekable && (await isMetadata(opened.stream))) {
        opened = await openInput(await spool(opened.stream));
      }
      const front = await readFront(opened.stream);
      const description = opened.isSeekable ? await follow(opened.stream, front) : null;
      return new NtfsClone(opened, front, description);
    } catch (error) {
      await opened[Symbol.asyncDispose]();
      throw error;
    }
  }

  get source(): ByteSource {
    return this.#input.source;
  }

  get findings(): readonly Finding[] {
    return (this.#description ?? this.#front).findings;
  }

  /** Clusters of the volume and, where the device reaches there, the backup boot sector's. */
  get blockCount(): number {
    return Math.ceil(Math.min(this.deviceSize / this.blockSize, this.totalBlocks + 1));
  }

  get totalBlocks(): number {
    return this.#clusters.clusterCount;
  }

  /** Clusters stored, each counted once, without the backup boot sector. */
  get usedBlocks(): number {
    const layout = this.#description?.layout;
    if (!layout) throw this.#passesOnce();
    return layout.facts.distinct;
  }

  get storedBlocks(): number {
    return this.#indexed().storedBlocks;
  }

  get totalSize(): number {
    return this.deviceSize;
  }

  runAt(block: number, limit: number): Run {
    return this.#indexed().runAt(block, limit);
  }

  blockInUse(n: number): boolean {
    this.#requireBlock(n);
    return this.#indexed().has(n);
  }

  blockOffset(n: number): number | null {
    return this.blockInUse(n) ? (this.runAt(n, 1).stored?.imageOffset ?? null) : null;
  }

  get bitmap(): Uint8Array {
    const { starts, counts } = this.#indexed().parts.extents;
    const bits = bitmapBytes(this.totalBlocks);
    for (const [extent, start] of starts.entries()) {
      const end = Math.min(start + (counts[extent] ?? 0), this.totalBlocks);
      for (let n = start; n < end; n++) {
        const byte = Math.floor(n / 8);
        bits[byte] = (bits[byte] ?? 0) | (1 << (n % 8));
      }
    }
    return bits;
  }

  async blockReader(options: BlockReaderOptions): Promise<void> {
    const { stream, source } = this.#input;
    const total = stream.size ?? this.#estimatedSize();
    const progress = options.progressBar ? showProgress(source.name, total) : noProgress;
    try {
      if (this.#image) await readIndexed(this.#image, options, progress);
      else await this.#readStream(options, progress);
      // Commands and gaps are not counted on the way.
      progress.update(total);
    } finally {
      progress.stop();
    }
    const broken = this.findings.find(({ rule }) => brokenCommands.has(rule));
    if (broken) throw brokenOff(source.name, broken);
  }

  toString(): string {
    const { header } = this.#front;
    return dumpText("Ntfsclone Header", details(this.#description ?? { header, layout: null }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input[Symbol.asyncDispose]();
  }

  async #readStream({ onBlock }: BlockReaderOptions, progress: Progress): Promise<void> {
    if (this.#description) throw this.#passesOnce();
    const { stream } = this.#input;
    let next = 0;
    this.#description = await follow(stream, this.#front, (position, bytes) => {
      // Only a metadata image turns back, and those were told by their first command.
      if (position < next) throw this.#turnsBack(position);
      next = position + 1;
      progress.update(stream.position);
      return bytes.length > 0 ? onBlock(position * this.blockSize, bytes.slice()) : undefined;
    });
  }

  #indexed(): NtfscloneImage {
    if (this.#image) return this.#image;
    throw this.#passesOnce();
  }

  #passesOnce(): ImageBackupError {
    return new ImageBackupError(
      "UNSUPPORTED",
      `${this.source.name}: a pipe or a compressed image passes only once, so its clusters cannot be looked up`,
    );
  }

  #turnsBack(position: number): ImageBackupError {
    return new ImageBackupError(
      "UNSUPPORTED",
      `${this.source.name}: cluster ${position} comes after later ones, which a pipe cannot sort; save the image to a file first`,
      { rule: "NTC-ORDER" },
    );
  }

  #requireBlock(n: number): void {
    if (Number.isInteger(n) && n >= 0 && n < this.totalBlocks) return;
    throw new ImageBackupError(
      "OUT_OF_RANGE",
      `cluster ${n} is not one of the volume's ${this.totalBlocks} clusters`,
    );
  }

  /** By the header's count of clusters in use: a pipe does not tell its size. */
  #estimatedSize(): number {
    return Number(this.#front.header.inUse) * (this.blockSize + 1);
  }
}

function brokenOff(name: string, finding: Finding): ImageBackupError {
  const error = refusal(name, finding);
  const { rule, imageOffset } = finding;
  if (rule !== "NTC-DATA-COMPLETE") return error;
  return new ImageBackupError("SHORT_READ", error.message, { rule, imageOffset });
}

/** What ends the command stream before its time. */
const brokenCommands: ReadonlySet<string> = new Set([
  "NTC-DATA-COMPLETE",
  "NTC-COMMAND",
  "NTC-GAP-NOT-ZERO",
]);
