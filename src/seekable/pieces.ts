import { viewOf } from "../bytes/view.ts";

/** Byte strings one after the other, each with its length before it: the form of a codec's state. */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(pieces.flatMap((piece) => [numbers(piece.length), piece]));
}

/** The pieces again; what is cut short gives shorter ones. */
export function splitPieces(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = viewOf(bytes).getFloat64(at, true);
    pieces.push(bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return pieces;
}

/** Numbers as a piece: offsets go beyond 32 bits. */
export function numbers(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Float64Array.from(values).buffer);
}

export function numbersOf(piece: Uint8Array = new Uint8Array()): number[] {
  const fields = viewOf(piece);
  return Array.from({ length: piece.length >> 3 }, (_, index) =>
    fields.getFloat64(index * 8, true),
  );
}
