import { crc32 } from "node:zlib";

/**
 * partclone's CRC-32: the reflected IEEE polynomial without the final inversion, so the stored
 * value is the register itself and can be continued from.
 */
export const CRC32_START = 0xffffffff;

/** The register after `bytes`, from the register `state`. zlib's runs at 9 GB/s in 4 KiB pieces. */
export function crc32Update(state: number, bytes: Uint8Array): number {
  return ~crc32(bytes, ~state >>> 0) >>> 0;
}

/**
 * The register after the same byte was fed `count` times: what format 0001 does with each block
 * (PC1-CHECKSUM). Feeding zeros is a linear map of the register, so one block costs five table
 * look-ups instead of `count` steps.
 */
export function crc32Repeater(count: number): (state: number, byte: number) => number {
  const zeros = new Uint8Array(count);
  const bits = Array.from({ length: 32 }, (_, bit) => crc32Update((1 << bit) >>> 0, zeros));
  const shifted = [0, 8, 16, 24].map((from) => linearTable(bits.slice(from, from + 8)));
  const [b0, b1, b2, b3] = shifted as [Uint32Array, Uint32Array, Uint32Array, Uint32Array];
  // Feeding is linear in the byte as well, so eight calls make the table of all 256 bytes.
  const fed = linearTable(
    Array.from({ length: 8 }, (_, bit) => crc32Update(0, new Uint8Array(count).fill(1 << bit))),
  );
  return (state, byte) =>
    (at(b0, state & 255) ^
      at(b1, (state >>> 8) & 255) ^
      at(b2, (state >>> 16) & 255) ^
      at(b3, state >>> 24) ^
      at(fed, byte)) >>>
    0;
}

/** The images of all 256 combinations of eight basis vectors. */
function linearTable(basis: readonly number[]): Uint32Array {
  const table = new Uint32Array(256);
  for (let value = 1; value < 256; value++) {
    const lowest = 31 - Math.clz32(value & -value);
    table[value] = at(table, value & (value - 1)) ^ (basis[lowest] ?? 0);
  }
  return table;
}

function at(table: Uint32Array, index: number): number {
  return table[index] ?? 0;
}
