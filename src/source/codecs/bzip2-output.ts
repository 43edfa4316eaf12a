import type { DecodedBlock } from "./bzip2-block.ts";

export interface Block extends DecodedBlock {
  /** Of the block's decompressed bytes, as it is stored. */
  readonly crc: number;
}

/** How far a block is written out. */
export interface Cursor {
  readonly table: Uint32Array;
  /** Entries of the table not yet visited. */
  left: number;
  /** Place in the table of the next byte. */
  place: number;
  /** The last byte, and how many of it came one after the other. */
  previous: number;
  repeats: number;
  /** Copies of `previous` still to be written. */
  pending: number;
  crc: number;
}

/** After four equal bytes, the next byte counts how many more there are. */
const RUN_LENGTH = 4;

/** CRC-32 with the polynomial 0x04C11DB7, the most significant bit first. */
const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index << 24;
  for (let bit = 0; bit < 8; bit++) crc = (crc << 1) ^ (crc < 0 ? 0x04c11db7 : 0);
  return crc;
});

export function cursorOf({ table, start }: Block): Cursor {
  return {
    table,
    left: table.length,
    place: start,
    previous: -1,
    repeats: 0,
    pending: 0,
    crc: -1,
  };
}

/** Writes the block's next bytes into `into`; returns how many, fewer only at the block's end. */
export function unrun(cursor: Cursor, into: Uint8Array): number {
  const { table } = cursor;
  let { left, place, previous, repeats, pending, crc } = cursor;
  let size = 0;
  while (size < into.length) {
    if (pending > 0) {
      pending--;
    } else if (left > 0) {
      const entry = table[place] as number;
      const byte = entry & 0xff;
      place = entry >>> 8;
      left--;
      if (repeats === RUN_LENGTH) {
        pending = byte;
        repeats = 0;
        continue;
      }
      repeats = byte === previous ? repeats + 1 : 1;
      previous = byte;
    } else break;
    into[size++] = previous;
    crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ previous) & 0xff] as number);
  }
  Object.assign(cursor, { left, place, previous, repeats, pending, crc });
  return size;
}
