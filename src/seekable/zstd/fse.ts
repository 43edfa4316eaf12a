import { Malformed } from "../malformed.ts";

/** An FSE table as it is in force: its description, and the table when somebody decodes with it. */
export interface FseTable {
  readonly log: number;
  /** As stored in a block or dictionary; `null`: one symbol for ever (RLE mode), which has none. */
  readonly description: Uint8Array | null;
  /** By state: symbol, bits to read << 8, base of the next state << 16. */
  entries(): Int32Array;
}

/** Names a table by the one symbol that it decodes to. */
export function singleSymbol(symbol: number): FseTable {
  const entries = Int32Array.of(symbol);
  return { log: 0, description: null, entries: () => entries };
}

/** Reads the description at the beginning of `bytes` (RFC 8878, 4.1.1). */
export function readFseTable(bytes: Uint8Array, maxLog: number, maxSymbol: number): FseTable {
  const { counts, log, size } = readCounts(bytes, maxLog, maxSymbol);
  let entries: Int32Array | null = null;
  return {
    log,
    description: bytes.slice(0, size),
    entries: () => {
      entries ??= buildEntries(counts, log);
      return entries;
    },
  };
}

interface Counts {
  readonly counts: readonly number[];
  readonly log: number;
  /** Bytes of the description. */
  readonly size: number;
}

function readCounts(bytes: Uint8Array, maxLog: number, maxSymbol: number): Counts {
  let bit = 0;
  const read = (count: number) => {
    const at = bit >> 3;
    const word = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
    bit += count;
    return (word >> ((bit - count) & 7)) & ((1 << count) - 1);
  };
  const log = read(4) + 5;
  if (log > maxLog) throw new Malformed("a table is too large");
  const counts: number[] = [];
  let remaining = (1 << log) + 1;
  while (remaining > 1) {
    const width = 32 - Math.clz32(remaining);
    const threshold = 1 << (width - 1);
    const short = 2 * threshold - 1 - remaining;
    let value = read(width - 1);
    if (value >= short) {
      value |= read(1) << (width - 1);
      if (value >= threshold) value -= short;
    }
    const count = value - 1;
    remaining -= Math.abs(count);
    counts.push(count);
    for (let more = count === 0; more; ) {
      const zeros = read(2);
      for (let index = 0; index < zeros; index++) counts.push(0);
      more = zeros === 3;
    }
    if (counts.length > maxSymbol + 1) throw new Malformed("a table has too many symbols");
  }
  const size = (bit + 7) >> 3;
  if (remaining !== 1 || size > bytes.length) throw new Malformed("a table's counts do not add up");
  return { counts, log, size };
}

/** Spreads the symbols over the states (RFC 8878, 4.1.1). A count of -1 is "less than 1". */
function buildEntries(counts: readonly number[], log: number): Int32Array {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = counts.map((count) => Math.abs(count));
  let high = size - 1;
  for (const [symbol, count] of counts.entries()) if (count < 0) symbols[high--] = symbol;
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [symbol, count] of counts.entries()) {
    for (let index = 0; index < count; index++) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place > high);
    }
  }
  const entries = new Int32Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const occurrence = next[symbol] as number;
    next[symbol] = occurrence + 1;
    const bits = log - (31 - Math.clz32(occurrence));
    entries[state] = symbol | (bits << 8) | (((occurrence << bits) - size) << 16);
  }
  return entries;
}

const fromHex = (digits: string, log: number, symbols: number) =>
  readFseTable(Uint8Array.fromHex(digits), log, symbols);

/** By field of a sequence: RFC 8878, 3.1.1.3.2.1, the largest logarithm and symbol. */
export const LIMITS = {
  literalLengths: { log: 9, symbol: 35 },
  offsets: { log: 8, symbol: 31 },
  matchLengths: { log: 9, symbol: 52 },
} as const;

/** The predefined distributions (RFC 8878, 3.1.1.3.2.2), as descriptions. */
export const PREDEFINED = {
  literalLengths: fromHex("5110638c31c618630c21c4186366668646920400", 6, 35),
  offsets: fromHex("2084104266464444444424490200", 5, 31),
  matchLengths: fromHex("2114c418638c2184104208218410420821444444444444444424090000", 6, 52),
} as const;
