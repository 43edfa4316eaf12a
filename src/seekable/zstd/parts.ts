import { viewOf } from "../../source/codecs/exact.ts";
import { FRAME_MAGIC } from "../../source/codecs/zstd-header.ts";
import { ByteList } from "../byte-list.ts";
import type { Frame } from "./walk.ts";

/** What the runtime's decoder gets in one call. */
export interface Part {
  /** Of what is one frame's end or beginning, `null` where frames are whole. */
  readonly frame: Frame | null;
  /** Frames from their beginning, or what looks like that. */
  readonly bytes: Uint8Array;
  /** The blocks go on from a checkpoint, and need its dictionary. */
  readonly needsDictionary: boolean;
  /** Of a frame that ends here: as stored, may be empty; `null`: it goes on in the next segment. */
  readonly checksum: Uint8Array | null;
}

/** An empty raw block, the frame's last. */
const EMPTY_LAST_BLOCK = Uint8Array.of(1, 0, 0);
/** What a segment's blocks usually take. */
const ROOM = 3 * 2 ** 20;
/** RFC 8878, 3.1.1.1.2: the smallest window is of 2^10 bytes. */
const MIN_WINDOW_LOG = 10;

/** RFC 8878, 3.1.1.1: magic number, descriptor, window, and a size that is left out or follows. */
const HEADER_SIZE = 6;
const CONTENT_SIZE = 8;
const HAS_CONTENT_SIZE = 0xc0;

/** A header for some of a frame's blocks: it says the window alone, rounded up to a power of 2. */
function headerFor({ header }: Frame): Uint8Array {
  const log = Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(header.windowSize)));
  const bytes = new Uint8Array(HEADER_SIZE);
  viewOf(bytes).setUint32(0, FRAME_MAGIC, true);
  bytes[HEADER_SIZE - 1] = (log - MIN_WINDOW_LOG) << 3;
  return bytes;
}

/**
 * The same with the size of what it decodes to, which the decoder then writes in its place at once;
 * without it everything is decoded elsewhere and copied, which takes an eighth longer.
 */
export function withContentSize({ bytes, ...part }: Part, size: number): Part {
  const header = new Uint8Array(HEADER_SIZE + CONTENT_SIZE);
  header.set(bytes.subarray(0, HEADER_SIZE));
  header[4] = HAS_CONTENT_SIZE;
  viewOf(header).setBigUint64(HEADER_SIZE, BigInt(size), true);
  return { ...part, bytes: Buffer.concat([header, bytes.subarray(HEADER_SIZE)]) };
}

/** Collects a segment: the rest of a frame, whole frames, and the beginning of another. */
export class Parts {
  #frame: Frame | null;
  #isContinued: boolean;
  #blocks: ByteList;
  #whole = new ByteList();
  readonly #parts: Part[] = [];

  constructor(inside: Frame | null) {
    this.#frame = inside;
    this.#isContinued = inside !== null;
    this.#blocks = new ByteList(inside ? ROOM : undefined);
    if (inside) this.#blocks.add(headerFor(inside));
  }

  /** Blocks of the frame that is not yet at its end, as they are stored; its rest has a header. */
  get blocks(): ByteList {
    return this.#blocks;
  }

  beginFrame(frame: Frame): void {
    this.#frame = frame;
    this.#isContinued = false;
    this.#blocks = new ByteList();
  }

  endFrame(checksum: Uint8Array): void {
    const frame = this.#frame as Frame;
    if (this.#isContinued) this.#addPart(frame, new Uint8Array(), checksum.slice());
    else for (const bytes of [frame.bytes, this.#blocks.bytes, checksum]) this.#whole.add(bytes);
    this.#frame = null;
  }

  finish(): readonly Part[] {
    const wholeFrames = { frame: null, needsDictionary: false, checksum: null };
    if (this.#whole.length > 0) this.#parts.push({ ...wholeFrames, bytes: this.#whole.bytes });
    if (this.#frame) this.#addPart(this.#frame, EMPTY_LAST_BLOCK, null);
    return this.#parts;
  }

  #addPart(frame: Frame, end: Uint8Array, checksum: Uint8Array | null): void {
    const needsDictionary = this.#isContinued;
    this.#blocks.add(end);
    const { bytes } = this.#blocks;
    const part = needsDictionary ? bytes : Buffer.concat([headerFor(frame), bytes]);
    this.#parts.push({ frame, bytes: part, needsDictionary, checksum });
  }
}
