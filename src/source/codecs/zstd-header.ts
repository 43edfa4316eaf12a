import { viewOf } from "../../bytes/view.ts";

/** RFC 8878, 3.1.1: Magic_Number of a frame. */
export const FRAME_MAGIC = 0xfd2fb528;
/** RFC 8878, 3.1.1.2.4: no block is larger, decompressed or not. */
export const MAX_BLOCK_SIZE = 128 * 1024;
/** What `zstd -d` accepts unless told otherwise; a larger window is as much memory. */
export const MAX_WINDOW_SIZE = 2 ** 27;
/** Of a frame's header as far as the byte that tells the size of the rest. */
export const HEADER_START_SIZE = 5;

export const BLOCK_HEADER_SIZE = 3;
const RLE_BLOCK = 1;
export const COMPRESSED_BLOCK = 2;
const RESERVED_BLOCK = 3;

/** Sizes of the optional header fields, by their flag (RFC 8878, 3.1.1.1.1). */
const DICTIONARY_ID_SIZES = [0, 1, 2, 4] as const;
const CONTENT_SIZE_SIZES = [0, 2, 4, 8] as const;

export interface FrameHeader {
  readonly windowSize: number;
  /** `null` where the header does not say. */
  readonly contentSize: number | null;
  readonly hasChecksum: boolean;
}

/** A block's three bytes (RFC 8878, 3.1.1.2). */
export interface BlockHeader {
  readonly isLast: boolean;
  readonly type: number;
  /** Block_Size: of what is stored, or of the run of a RLE block. */
  readonly size: number;
  /** Bytes that follow the header. */
  readonly stored: number;
}

/** `null`: no such block can be. */
export function readBlockHeader(bits: number): BlockHeader | null {
  const type = (bits >> 1) & 3;
  const size = bits >> 3;
  if (type === RESERVED_BLOCK || size > MAX_BLOCK_SIZE) return null;
  return { isLast: (bits & 1) === 1, type, size, stored: type === RLE_BLOCK ? 1 : size };
}

function isSingleSegment(descriptor: number): boolean {
  return (descriptor & 0x20) !== 0;
}

/** A single segment has no window descriptor, and always says its content's size. */
function contentSizeSize(descriptor: number): number {
  const size = CONTENT_SIZE_SIZES[(descriptor >> 6) as 0 | 1 | 2 | 3];
  return size === 0 && isSingleSegment(descriptor) ? 1 : size;
}

/** Size of the frame header whose fifth byte is `descriptor`. */
export function headerSize(descriptor: number): number {
  const windowSize = isSingleSegment(descriptor) ? 0 : 1;
  const dictionarySize = DICTIONARY_ID_SIZES[(descriptor & 3) as 0 | 1 | 2 | 3];
  return HEADER_START_SIZE + windowSize + dictionarySize + contentSizeSize(descriptor);
}

/** Reads a whole frame header, magic number first. */
export function readFrameHeader(header: Uint8Array): FrameHeader {
  const descriptor = viewOf(header).getUint8(4);
  const contentSize = contentSizeOf(header);
  return {
    windowSize: windowSizeOf(header) ?? contentSize ?? 0,
    contentSize,
    hasChecksum: (descriptor & 4) !== 0,
  };
}

/** RFC 8878, 3.1.1.1.2: a single segment has none, its content's size takes the place. */
function windowSizeOf(header: Uint8Array): number | null {
  const fields = viewOf(header);
  if (isSingleSegment(fields.getUint8(4))) return null;
  const exponent = fields.getUint8(5) >> 3;
  const mantissa = fields.getUint8(5) & 7;
  return 2 ** (10 + exponent) * (1 + mantissa / 8);
}

/** RFC 8878, 3.1.1.1.4. */
function contentSizeOf(header: Uint8Array): number | null {
  const fields = viewOf(header);
  const size = contentSizeSize(fields.getUint8(4));
  const at = header.length - size;
  if (size === 0) return null;
  if (size === 1) return fields.getUint8(at);
  if (size === 2) return fields.getUint16(at, true) + 256;
  if (size === 4) return fields.getUint32(at, true);
  return Number(fields.getBigUint64(at, true));
}
