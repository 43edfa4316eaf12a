import { viewOf } from "../../bytes/view.ts";
import { FRAME_MAGIC } from "../../source/codecs/zstd-header.ts";
import { ByteList } from "../byte-list.ts";
import type { Frame } from "./walk.ts";

/** What a decoder gets in one call. */
export interface Part {
  /** Of what is one frame's end or beginning, `null` where frames are whole. */
  readonly frame: Frame | null;
  /** Whole frames, or blocks with room for a header before them: see `encoded`. */
  readonly bytes: Uint8Array;
  /** The blocks go on from a checkpoint, and need its dictionary. */
  readonly needsDictionary: boolean;
  /** Of a frame that ends here: as stored, may be empty; `null`: it goes on in the next segment. */
  readonly checksum: Uint8Array | null;
}

/** An empty raw block, the frame's last. */
export const EMPTY_LAST_BLOCK = Uint8Array.of(1, 0, 0);
/** RFC 8878, 3.1.1.1.2: the smallest window is of 2^10 bytes. */
const MIN_WINDOW_LOG = 10;

/** RFC 8878, 3.1.1.1: magic number, descriptor, window; then the content's size or nothing. */
const HEADER_SIZE = 6;
const CONTENT_SIZE = 8;
const HAS_CONTENT_SIZE = 0xc0;
export const HEADER_ROOM = new Uint8Array(HEADER_SIZE + CONTENT_SIZE);

/**
 * A part as a decoder takes it. With `size`, of what it decodes to, the runtime's writes in its
 * place at once; without it everything is decoded elsewhere and copied, which takes an eighth
 * longer. Blocks get a header in the room before them: it says the window, rounded up to a power of
 * 2. What the call before returned is then void.
 */
export function encoded({ frame, bytes }: Part, size: number | null): Uint8Array {
  if (frame === null) return bytes;
  const log = Math.max(MIN_WINDOW_LOG, Math.ceil(Math.log2(frame.header.windowSize)));
  const from = size === null ? CONTENT_SIZE : 0;
  const header = viewOf(bytes.subarray(from, HEADER_ROOM.length));
  header.setUint32(0, FRAME_MAGIC, true);
  header.setUint8(4, size === null ? 0 : HAS_CONTENT_SIZE);
  header.setUint8(5, (log - MIN_WINDOW_LOG) << 3);
  if (size !== null) header.setBigUint64(HEADER_SIZE, BigInt(size), true);
  return bytes.subarray(from);
}

/** Collects a segment: the rest of a frame, whole frames, and the beginning of another. */
export class Parts {
  #frame: Frame | null;
  #isContinued: boolean;
  #blocks: ByteList;
  #whole = new ByteList();
  readonly #parts: Part[] = [];

  /** `room`: bytes that its blocks take, about. */
  constructor(inside: Frame | null, room: number) {
    this.#frame = inside;
    this.#isContinued = inside !== null;
    this.#blocks = new ByteList(inside ? HEADER_ROOM.length + room : undefined);
    this.#blocks.add(HEADER_ROOM);
  }

  /** Room for a header, and blocks of the frame that is not yet at its end, as they are stored. */
  get blocks(): ByteList {
    return this.#blocks;
  }

  beginFrame(frame: Frame): void {
    this.#frame = frame;
    this.#isContinued = false;
    this.#blocks = new ByteList();
    this.#blocks.add(HEADER_ROOM);
  }

  endFrame(checksum: Uint8Array): void {
    const frame = this.#frame as Frame;
    if (this.#isContinued) this.#addPart(frame, new Uint8Array(), checksum.slice());
    else {
      const blocks = this.#blocks.bytes.subarray(HEADER_ROOM.length);
      for (const bytes of [frame.bytes, blocks, checksum]) this.#whole.add(bytes);
    }
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
    this.#parts.push({ frame, bytes: this.#blocks.bytes, needsDictionary, checksum });
  }
}
