import { cut } from "../bytes/cut.ts";
import { ImageBackupError } from "../bytes/errors.ts";
import { free } from "../bytes/free.ts";
import type { ByteSource } from "../source/source.ts";
import type { SeekableCodec } from "./codec.ts";
import { BadIndex } from "./index-file.ts";
import { errorOf } from "./index-thread.ts";
import { type Held, SegmentCache } from "./segment-cache.ts";
import type { Segments } from "./segments.ts";

export interface SeekableParts {
  /** The compressed data. */
  readonly compressed: ByteSource;
  readonly codec: SeekableCodec;
  readonly segments: Segments;
  /** Where the index is kept once it is complete; `null`: nowhere. */
  readonly indexPath: string | null;
  /** One line for people: how far the index is when a read waits for it. */
  log(line: string): void;
  /** The index on disk is damaged: it must not be used again. */
  discard(): void;
  close(): Promise<void>;
}

/** A reader's wait is told of after so long, and then so often. */
const TOLD_AFTER_MS = 2000;
const TOLD_EVERY_MS = 10_000;

/**
 * Compressed data as the bytes they stand for, read in any order. Reads of what is not indexed yet
 * wait; one that the data end before throws SHORT_READ, once that is known.
 */
export class SeekableSource implements ByteSource {
  readonly name: string;
  readonly #parts: SeekableParts;
  readonly #cache: SegmentCache;
  /** The one that was read last; at first none, nor one before the first. */
  #lastSegment = -2;
  #tellAt = performance.now() + TOLD_AFTER_MS;
  #believesVoid = false;

  constructor(parts: SeekableParts) {
    this.name = parts.compressed.name;
    this.#parts = parts;
    this.#cache = new SegmentCache((index, needed) => this.#decode(index, needed));
  }

  /** Uncompressed bytes; `Infinity` until all is indexed. */
  get size(): number {
    return this.#parts.segments.outSize ?? Infinity;
  }

  get ending(): string | undefined {
    return this.#parts.compressed.ending;
  }

  isProved(): boolean {
    return this.#parts.segments.isProved;
  }

  /**
   * Goes on where the data's own checksum differs, which makes every read fail else: whoever reads
   * proves each byte by other checksums.
   */
  believeVoid(): void {
    this.#believesVoid = true;
  }

  /** Resolves when reads may begin. Throws UNSUPPORTED where they never will. */
  async begun(): Promise<void> {
    const { segments } = this.#parts;
    await segments.begun();
    if (segments.failure?.code === "UNSUPPORTED") throw errorOf(segments.failure);
  }

  get indexPath(): string | null {
    return this.#parts.indexPath;
  }

  /** Resolves when all is indexed; tells what share is meanwhile, 0 to 1. Throws why it cannot be. */
  async indexed(advance: (share: number) => void): Promise<void> {
    await this.#parts.segments.ended(advance);
  }

  read(into: Uint8Array, at: number): Promise<void> {
    return this.readPieces([into], at);
  }

  async readPieces(pieces: readonly Uint8Array[], at: number): Promise<void> {
    let left = pieces.reduce((sum, { length }) => sum + length, 0);
    const end = at + left;
    let rest = pieces;
    // Counted down: `at` is Infinity where a reader asks for what is behind an end not yet known.
    for (let from = at; left > 0; ) {
      using segment = await this.#segmentAt(from, end);
      const content = segment.content.subarray(from - segment.start);
      const [part, behind] = cut(rest, content.length);
      let copied = 0;
      for (const piece of part) {
        piece.set(content.subarray(copied, copied + piece.length));
        copied += piece.length;
      }
      rest = behind;
      from += copied;
      left -= copied;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.close();
  }

  /** The segment with byte `at`, decoded at least up to byte `wantedEnd`. */
  async #segmentAt(at: number, wantedEnd: number): Promise<Held & { readonly start: number }> {
    const { segments } = this.#parts;
    const index = await segments.find(at, () => this.#tellProgress());
    if (segments.isVoid && !this.#believesVoid && segments.failure) throw errorOf(segments.failure);
    if (index === null) throw this.#tooShort(at);
    const { start, end } = segments.range(index);
    const least = Math.min(end, wantedEnd) - start;
    const kept = this.#cache.lengthOf(index);
    // Who has read here, or just before, and goes on will soon read the rest.
    const goesOn = kept > 0 ? kept < least : index === this.#lastSegment + 1;
    const held = await this.#cache.get(index, goesOn ? end - start : least);
    if (index === this.#lastSegment + 1) this.#prefetch(index + 1);
    this.#lastSegment = index;
    return { ...held, start };
  }

  /** The reader who waits may be a file manager, and nobody knows why it hangs. */
  #tellProgress(): void {
    const { segments, log } = this.#parts;
    const now = performance.now();
    if (now < this.#tellAt) return;
    this.#tellAt = now + TOLD_EVERY_MS;
    const percent = Math.floor(segments.share * 100);
    log(`${this.name}: ${percent} % is indexed; what follows can be read when it is, too`);
  }

  /** Decodes the next one while this one is read. */
  #prefetch(index: number): void {
    const { segments } = this.#parts;
    if (!segments.has(index)) return;
    const { start, end } = segments.range(index);
    void this.#cache.prefetch(index, end - start);
  }

  async #decode(index: number, needed: number): Promise<Uint8Array> {
    const { codec, compressed, segments, discard } = this.#parts;
    try {
      const segment = segments.segment(index);
      const content = await codec.readSegment(compressed, segment, needed);
      // One of xz can have 30 MB.
      free(segment.from.state);
      return content;
    } catch (error) {
      if (!(error instanceof BadIndex)) throw error;
      discard();
      const text = `${this.name}: its saved index is damaged, and is removed: unmount the image and mount it again`;
      throw new ImageBackupError("CORRUPT", text, {}, { cause: error });
    }
  }

  #tooShort(at: number): ImageBackupError {
    const ending = this.ending === undefined ? "" : `: ${this.ending}`;
    return new ImageBackupError(
      "SHORT_READ",
      `${this.name}: the image ends at byte ${this.size}, before bytes that are needed; it is truncated${ending}`,
      { imageOffset: at },
    );
  }
}
