/** Numbers of variable length (.xz file format, 1.2): seven bits a byte, the lowest first. */
export function numbersIn(bytes: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let unit = 1;
  for (const byte of bytes) {
    value += (byte & 0x7f) * unit;
    unit *= 128;
    if (byte >= 0x80) continue;
    values.push(value);
    value = 0;
    unit = 1;
  }
  return values;
}

export function encodedNumbers(values: readonly number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => {
      const bytes: number[] = [];
      let rest = value;
      for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
      return [...bytes, rest];
    }),
  );
}
