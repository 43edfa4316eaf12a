import { ABSENT, type ByteOrder, PRESENT, UNKNOWN } from "./fixture.ts";
import { mix } from "./random.ts";

/** Expands alternating run lengths, the first one present, to one byte a block. */
export function presenceOf(runs: readonly number[]): Uint8Array {
  const present = new Uint8Array(runs.reduce((sum, run) => sum + run, 0));
  let block = 0;
  for (const [index, run] of runs.entries()) {
    present.fill(index % 2 === 0 ? PRESENT : ABSENT, block, block + run);
    block += run;
  }
  return present;
}

/** Where a writer with this word size and byte order puts a block's bit. */
function byteOfBlock(block: number, order: ByteOrder, cpuBits: number): number {
  const byte = Math.floor(block / 8);
  const wordBytes = cpuBits / 8;
  if (order === "little") return byte;
  // A big-endian writer dumps whole words, most significant byte first (PC2-BIG-ENDIAN-TAIL).
  return byte - (byte % wordBytes) + (wordBytes - 1 - (byte % wordBytes));
}

export interface BitmapShape {
  readonly order: ByteOrder;
  readonly cpuBits: number;
  readonly strayBits: boolean;
}

/** The bitmap as it is in the file: ceil(blocks / 8) bytes, whatever that cuts off. */
export function encodeBits(present: Uint8Array, shape: BitmapShape): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(present.length / 8));
  const wordBits = shape.cpuBits;
  const end = shape.strayBits ? Math.ceil(present.length / wordBits) * wordBits : present.length;
  for (let block = 0; block < end; block++) {
    const isSet = block >= present.length || present[block] === PRESENT;
    const byte = byteOfBlock(block, shape.order, shape.cpuBits);
    if (isSet && byte < bitmap.length) bitmap[byte] = (bitmap[byte] ?? 0) | (1 << (block % 8));
  }
  return bitmap;
}

/** What a reader can know from such a bitmap: bits of a cut last word are lost. */
export function knownPresence(present: Uint8Array, shape: BitmapShape): Uint8Array {
  const bitmapBytes = Math.ceil(present.length / 8);
  return present.map((value, block) =>
    byteOfBlock(block, shape.order, shape.cpuBits) < bitmapBytes ? value : UNKNOWN,
  );
}

/** Whether any bit past the last block is set in the file. */
export function hasStrayBits(present: Uint8Array, shape: BitmapShape): boolean {
  const without = encodeBits(present, { ...shape, strayBits: false });
  const bitmap = encodeBits(present, shape);
  return bitmap.some((byte, index) => byte !== without[index]);
}

/** One byte a block; `otherValues` gives every second absent block a value from 2 to 255. */
export function encodeByteMap(present: Uint8Array, otherValues: boolean, seed: number): Uint8Array {
  return present.map((value, block) => {
    const random = mix(seed ^ 0xb17e, block);
    return value === ABSENT && otherValues && random % 2 === 0 ? 2 + ((random >>> 8) % 254) : value;
  });
}

export function countPresent(present: Uint8Array): number {
  return present.reduce((sum, value) => sum + (value === PRESENT ? 1 : 0), 0);
}
