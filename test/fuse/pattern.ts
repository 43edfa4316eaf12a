import type { ServedFile } from "../../src/fuse/served-file.ts";

/** What a synthetic file is made of; plain data, as it crosses into threads and processes. */
export interface Pattern {
  readonly name: string;
  readonly size: number;
  /** `[start, end)`, sorted; everything else is data. */
  readonly holes: readonly (readonly [number, number])[];
  /** Reads that touch `[start, end)` fail. */
  readonly broken?: readonly [number, number];
  /** Reads that touch `[start, end)` take `slowMs`. */
  readonly slow?: readonly [number, number];
  readonly slowMs?: number;
  readonly mode?: number;
}

const WORD = 8;
const SLOW_MS = 1500;

/** Every 8-byte word is its own offset, so that a misplaced read says where it came from. */
export function fillPattern(pattern: Pattern, into: Uint8Array, offset: number): void {
  const first = offset - (offset % WORD);
  const words = Math.ceil((offset + into.length - first) / WORD);
  const whole = new BigUint64Array(words);
  for (let i = 0; i < words; i++) whole[i] = BigInt(first + i * WORD);
  into.set(new Uint8Array(whole.buffer, offset - first, into.length));
  for (const [start, end] of pattern.holes) {
    into.fill(0, Math.max(0, start - offset), Math.max(0, Math.min(into.length, end - offset)));
  }
}

export function patternBytes(pattern: Pattern, offset = 0, length = pattern.size): Uint8Array {
  const bytes = new Uint8Array(length);
  fillPattern(pattern, bytes, offset);
  return bytes;
}

class BrokenPattern extends Error {
  readonly code = "BAD_CHECKSUM";
}

export function patternFile(pattern: Pattern): ServedFile {
  const { name, size, holes, broken, slow, slowMs = SLOW_MS } = pattern;
  const touches = (range: typeof slow, offset: number, length: number) =>
    range && offset < range[1] && offset + length > range[0];
  const holeAt = (offset: number) => holes.find(([start, end]) => start <= offset && offset < end);
  const inHoles = holes.reduce((sum, [start, end]) => sum + end - start, 0);
  return {
    name,
    size,
    mode: pattern.mode ?? 0o444,
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    atimeNs: 1_600_000_000_123_456_789n,
    mtimeNs: 1_700_000_000_987_654_321n,
    ctimeNs: -1n,
    storedBytes: size - inHoles,
    blockSize: 4096,
    async read(into, offset) {
      if (broken && touches(broken, offset, into.length)) {
        throw new BrokenPattern(`a checksum at ${broken[0]} differs`);
      }
      if (touches(slow, offset, into.length)) await Bun.sleep(slowMs);
      const length = Math.min(into.length, size - offset);
      fillPattern(pattern, into.subarray(0, length), offset);
      return length;
    },
    nextData(offset) {
      const next = holeAt(offset)?.[1] ?? offset;
      return next >= size ? null : next;
    },
    nextHole: (offset) =>
      holeAt(offset) ? offset : (holes.find(([start]) => start > offset)?.[0] ?? size),
  };
}
