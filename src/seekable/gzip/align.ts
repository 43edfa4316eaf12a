/** Empty blocks of deflate data, as bits in the order in which they are stored. */
const EMPTY_FIXED_BLOCK = "010" + "0000000";
/**
 * The same with codes of its own, an odd number of bits: the codes of lengths 0 (10), 1 (0) and 18
 * (11) give 256 literals no code, the block's end a code of one bit (0), and no distances.
 */
const EMPTY_DYNAMIC_BLOCK = [
  "001",
  number(0, 5) + number(0, 5) + number(14, 4),
  // In the order 16 17 18 0 8 7 9 6 10 5 11 4 12 3 13 2 14 1.
  [0, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    .map((length) => number(length, 3))
    .join(""),
  `11${number(138 - 11, 7)}`,
  `11${number(118 - 11, 7)}`,
  "0",
  "10",
  "0",
].join("");

function number(value: number, bits: number): string {
  return Array.from({ length: bits }, (_, bit) => (value >> bit) & 1).join("");
}

/** By number of bits in the last byte: empty blocks of so many more bits than whole bytes. */
const fillings = Array.from({ length: 8 }, (_, bits) => {
  let blocks = bits % 2 === 1 ? EMPTY_DYNAMIC_BLOCK : "";
  while (blocks.length % 8 !== bits) blocks += EMPTY_FIXED_BLOCK;
  return blocks;
});

/** Bytes before deflate data that begin at bit `bit` of their first byte. */
export function fillingSize(bit: number): number {
  return (fillings[bit] as string).length >> 3;
}

/**
 * Writes empty blocks before such data, which are at `fillingSize(bit)` of `into`, so that they
 * begin where a decoder does: at a byte's first bit.
 */
export function fillBefore(into: Uint8Array, bit: number): void {
  const filling = fillings[bit] as string;
  const first = filling.length >> 3;
  into.fill(0, 0, first);
  if (bit > 0) into[first] = (into[first] as number) & (0xff << bit);
  for (let at = 0; at < filling.length; at++) {
    if (filling[at] === "1") into[at >> 3] = (into[at >> 3] as number) | (1 << (at & 7));
  }
}
