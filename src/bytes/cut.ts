/** The first `room` bytes of the pieces, and what is behind them. */
export function cut(
  pieces: readonly Uint8Array[],
  room: number,
): [part: readonly Uint8Array[], behind: readonly Uint8Array[]] {
  let left = room;
  for (const [index, piece] of pieces.entries()) {
    if (piece.length > left) {
      const part =
        left > 0 ? [...pieces.slice(0, index), piece.subarray(0, left)] : pieces.slice(0, index);
      return [part, [piece.subarray(left), ...pieces.slice(index + 1)]];
    }
    left -= piece.length;
  }
  return [pieces, []];
}
