import { joinPieces, numbers, numbersOf, splitPieces } from "../pieces.ts";

/** What the runtime's decompressor gets in one call, and what it must give. */
export interface Part {
  /** Members with their headers and trailers, or deflate data. */
  readonly isWhole: boolean;
  /** Byte offsets in the compressed data: from the first to behind the last that is needed. */
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** What a checkpoint keeps. */
export interface State {
  /** Of the segment that begins here, decoded: its XXH3, and what it is made of. */
  readonly hash: Uint8Array;
  readonly parts: readonly Part[];
  /** `null` between members. */
  readonly inside: Inside | null;
}

/** A place between two blocks of a member. */
export interface Inside {
  /** CRC-32 and size of what is before. */
  readonly crc: number;
  readonly size: number;
  /** Up to 32 KiB before this place, zeros where the segment does not refer to them, compressed. */
  readonly window: Uint8Array;
}

export function encodeState({ hash, parts, inside }: State): Uint8Array {
  const fields = parts.flatMap(({ isWhole, from, to, length }) => [+isWhole, from, to, length]);
  const own = [hash, numbers(...fields)];
  return joinPieces(inside ? [...own, numbers(inside.crc, inside.size), inside.window] : own);
}

export function decodeState(bytes: Uint8Array): State {
  const [hash = new Uint8Array(), fields, sums, window] = splitPieces(bytes);
  const parts: Part[] = [];
  const values = numbersOf(fields);
  for (let at = 0; at < values.length; at += 4) {
    const [isWhole = 0, from = 0, to = 0, length = 0] = values.slice(at, at + 4);
    parts.push({ isWhole: isWhole === 1, from, to, length });
  }
  const [crc = 0, size = 0] = numbersOf(sums);
  return { hash, parts, inside: window ? { crc, size, window } : null };
}
