/** Below this a loop is faster than a call. */
const SHORT_COPY = 32;

/** The room was looked at before. */
export function copyLiterals(
  from: Uint8Array,
  at: number,
  output: Uint8Array,
  to: number,
  length: number,
): void {
  if (length > SHORT_COPY) {
    output.set(from.subarray(at, at + length), to);
    return;
  }
  for (let index = 0; index < length; index++) output[to + index] = from[at + index] as number;
}

/** A match may overlap what it writes: then it repeats its first `distance` bytes. */
export function copyMatch(output: Uint8Array, to: number, distance: number, length: number): void {
  const from = to - distance;
  if (length <= SHORT_COPY) {
    for (let index = 0; index < length; index++)
      output[to + index] = output[from + index] as number;
    return;
  }
  // What is written so far repeats the pattern too, so each copy can be twice as long.
  for (let done = 0; done < length; ) {
    const part = Math.min(distance + done, length - done);
    output.copyWithin(to + done, from, from + part);
    done += part;
  }
}
