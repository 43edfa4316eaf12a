import { crc32 } from "node:zlib";
import { viewOf } from "../../bytes/view.ts";
import type { ByteSource } from "../../source/source.ts";
import type { BuildEvent, BuildOptions, Checkpoint } from "../codec.ts";
import { beyondRandomAccess, corrupt, wrongChecksum } from "../damage.ts";
import { InputWindow } from "../input-window.ts";
import { isSameHash, segmentHash } from "../segment-hash.ts";
import { type BlockPlace, Blocks, endOf } from "./blocks.ts";
import { WINDOW_SIZE } from "./inflate.ts";
import { enterMember, exactly, TRAILER_SIZE } from "./member.ts";
import { Parts } from "./parts.ts";
import { decodeState, encodeState, type Inside } from "./state.ts";
import { expandedWindow, sparseWindow } from "./window.ts";

/** Room for more than a segment, since it ends only where a block does. */
const OUTPUT_SLACK = 2 ** 20;
/** A segment that stores so many times what it should decode to is cut where it can be. */
const MOST_STRETCHED = 8;
/** Bytes of a segment as it is stored: only what nobody writes has more. */
const MAX_STORED = 2 ** 28;

/** The segment that is being decoded. */
interface Current {
  readonly place: BlockPlace;
  readonly outOffset: number;
  /** `null` between members. */
  readonly sums: Omit<Inside, "window"> | null;
  readonly windowSize: number;
  readonly parts: Parts;
}

/** A checkpoint is told when its segment is decoded: only then it is known what its window needs. */
export async function* build(
  compressed: ByteSource,
  { from, spacing }: BuildOptions,
): AsyncGenerator<BuildEvent> {
  const pass = new Pass(compressed, from, spacing);
  for await (const checkpoint of pass.checkpoints()) {
    if (checkpoint.outOffset !== from?.outOffset) yield { type: "checkpoint", checkpoint };
    else expectSame(compressed, from, checkpoint);
  }
  // Every member has a CRC-32, and a checkpoint that of what is before it.
  yield { type: "end", outSize: pass.outOffset, isProved: true };
}

/** The data at a checkpoint that a pass goes on from must be what they were. */
function expectSame(compressed: ByteSource, from: Checkpoint, found: Checkpoint): void {
  if (isSameHash(decodeState(from.state).hash, decodeState(found.state).hash)) return;
  throw corrupt(compressed, "gzip", from.inOffset, "it is not what was indexed");
}

class Pass {
  readonly #input: InputWindow;
  readonly #from: Checkpoint | null;
  readonly #spacing: number;
  readonly #blocks: Blocks;
  #current: Current;
  /** Of the member: CRC-32 and size of what is before byte `#summed` of the output. */
  #crc = 0;
  #size = 0;
  #summed = WINDOW_SIZE;

  constructor(compressed: ByteSource, from: Checkpoint | null, spacing: number) {
    const { inOffset = 0, inBit = 0, outOffset = 0 } = from ?? {};
    this.#input = new InputWindow(compressed, inOffset);
    this.#from = from;
    this.#spacing = spacing;
    this.#blocks = new Blocks(this.#input, spacing + OUTPUT_SLACK);
    const place = { inOffset, inBit };
    this.#current = { place, outOffset, sums: null, windowSize: 0, parts: new Parts() };
  }

  /** Byte offset in the uncompressed data where the pass is. */
  get outOffset(): number {
    return this.#current.outOffset + this.#length;
  }

  get #length(): number {
    return this.#blocks.inflater.outPosition - WINDOW_SIZE;
  }

  async *checkpoints(): AsyncGenerator<Checkpoint> {
    const inside = this.#from && decodeState(this.#from.state).inside;
    if (this.#from && inside) yield* this.#restOf(this.#from, inside);
    for (let at = await this.#enter(); at !== null; at = await this.#enter()) yield* this.#member();
    // What comes after the last byte belongs to the segment before, unless there is none.
    if (this.#length > 0 || this.outOffset === 0) yield await this.#finish();
  }

  async *#restOf({ inOffset, inBit }: Checkpoint, inside: Inside): AsyncGenerator<Checkpoint> {
    const { inflater } = this.#blocks;
    const { window, crc, size } = inside;
    const bytes = await expandedWindow(window);
    inflater.outPosition = bytes.length;
    inflater.output.set(bytes);
    inflater.slide(bytes.length);
    this.#crc = crc;
    this.#size = size;
    this.#current = { ...this.#current, sums: { crc, size }, windowSize: bytes.length };
    this.#current.parts.begin(null, inOffset, 0);
    await this.#blocks.begin(inBit);
    yield* this.#blocksOfMember();
  }

  async #enter(): Promise<number | null> {
    const at = await enterMember(this.#input);
    if (at !== null) this.#current.parts.begin(at, this.#input.position, this.#length);
    return at;
  }

  async *#member(): AsyncGenerator<Checkpoint> {
    const { inflater } = this.#blocks;
    inflater.outStart = inflater.outPosition;
    this.#crc = 0;
    this.#size = 0;
    await this.#blocks.begin(0);
    yield* this.#blocksOfMember();
  }

  async *#blocksOfMember(): AsyncGenerator<Checkpoint> {
    while (!(await this.#blocks.next())) {
      if (this.#isFull(Math.max(this.#spacing, WINDOW_SIZE))) {
        this.#sum();
        yield* this.#cut({ crc: this.#crc, size: this.#size });
      }
    }
    this.#blocks.leave();
    await this.#checkTrailer();
    this.#current.parts.end(this.#input.position, this.#length);
    if (this.#isFull(this.#spacing / 2)) yield* this.#cut(null);
  }

  #isFull(length: number): boolean {
    // A segment without content begins where its content does.
    if (this.#length === 0 || this.#length >= length) return true;
    const stored = this.#blocks.place.inOffset - this.#current.place.inOffset;
    if (stored > MAX_STORED) {
      throw beyondRandomAccess(this.#input.source, "gzip", "it has no place to begin reading at");
    }
    return this.#length >= WINDOW_SIZE && stored > MOST_STRETCHED * length;
  }

  #sum(): void {
    const { output, outPosition } = this.#blocks.inflater;
    const bytes = output.subarray(this.#summed, outPosition);
    this.#crc = crc32(bytes, this.#crc);
    this.#size += bytes.length;
    this.#summed = outPosition;
  }

  async #checkTrailer(): Promise<void> {
    this.#sum();
    const trailer = viewOf(await exactly(this.#input, TRAILER_SIZE));
    const isRight =
      trailer.getUint32(0, true) === this.#crc && trailer.getUint32(4, true) === this.#size >>> 0;
    if (!isRight) throw wrongChecksum(this.#input.source, "gzip", this.#input.position);
    this.#input.skip(TRAILER_SIZE);
  }

  /** Ends the segment, if it has content, and begins the next one here. */
  async *#cut(sums: Current["sums"]): AsyncGenerator<Checkpoint> {
    const { inflater, place } = this.#blocks;
    const { outOffset } = this;
    const parts = new Parts();
    if (sums) {
      this.#current.parts.interrupt(endOf(place), this.#length);
      parts.begin(null, place.inOffset, 0);
    }
    if (this.#length > 0) yield await this.#finish();
    const windowSize = sums ? Math.min(WINDOW_SIZE, inflater.outPosition - inflater.outStart) : 0;
    inflater.slide(windowSize);
    this.#summed = WINDOW_SIZE;
    this.#current = { place, outOffset, sums, windowSize, parts };
  }

  async #finish(): Promise<Checkpoint> {
    const { output, outPosition, marks } = this.#blocks.inflater;
    const { place, outOffset, sums, windowSize, parts } = this.#current;
    const hash = segmentHash(output.subarray(WINDOW_SIZE, outPosition));
    const window = output.subarray(WINDOW_SIZE - windowSize, WINDOW_SIZE);
    const inside = sums && { ...sums, window: await sparseWindow(window, marks) };
    return { ...place, outOffset, state: encodeState({ hash, parts: parts.list, inside }) };
  }
}
