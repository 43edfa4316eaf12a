import { Malformed } from "../malformed.ts";
import { type FseTable, LIMITS, PREDEFINED, readFseTable, singleSymbol } from "./fse.ts";

/** The tables in force between two blocks: a block may go on with those of the ones before it. */
export interface Tables {
  /** Description of the Huffman code of literals. */
  readonly huffman: Uint8Array;
  readonly literalLengths: FseTable;
  readonly offsets: FseTable;
  readonly matchLengths: FseTable;
}

/** At the beginning of a frame: none. Any code stands for the Huffman code that none can use. */
export const NO_TABLES: Tables = { huffman: Uint8Array.of(0x80, 0x10), ...PREDEFINED };

/** Where a compressed block's sequences are, and the tables that decode them. */
export interface Sections {
  /** Bytes of literals that the block decodes to. */
  readonly literals: number;
  /** Sequences in the block. */
  readonly count: number;
  /** Their bits: bytes from here to the block's end. */
  readonly bitsAt: number;
  readonly tables: Tables;
}

/** The kinds of literals that are coded with a Huffman code; only the first brings its own. */
const COMPRESSED_LITERALS = 2;
const RAW_LITERALS = 0;
const MODES = { predefined: 0, rle: 1, compressed: 2 } as const;

/** Reads the headers of a compressed block's two sections (RFC 8878, 3.1.1.3). */
export function readSections(block: Uint8Array, before: Tables): Sections {
  const literals = readLiterals(block, before.huffman);
  let at = literals.end;
  const first = block[at++] ?? 0;
  if (at > block.length) throw new Malformed("a block ends early");
  if (first === 0) {
    const tables = { ...before, huffman: literals.huffman };
    return { literals: literals.size, count: 0, bitsAt: at, tables };
  }
  let count = first;
  if (first === 255) {
    count = (block[at] ?? 0) + ((block[at + 1] ?? 0) << 8) + 0x7f00;
    at += 2;
  } else if (first > 127) count = ((first - 128) << 8) + (block[at++] ?? 0);
  const modes = block[at++] ?? 0;
  const table = (shift: number, name: keyof typeof LIMITS): FseTable => {
    const mode = (modes >> shift) & 3;
    if (mode === MODES.predefined) return PREDEFINED[name];
    if (mode === MODES.rle) return singleSymbol(checked(block[at++] ?? 0, name));
    if (mode !== MODES.compressed) return before[name];
    const found = readFseTable(block.subarray(at), LIMITS[name].log, LIMITS[name].symbol);
    at += found.description?.length ?? 0;
    return found;
  };
  const tables = {
    huffman: literals.huffman,
    literalLengths: table(6, "literalLengths"),
    offsets: table(4, "offsets"),
    matchLengths: table(2, "matchLengths"),
  };
  if (at >= block.length) throw new Malformed("a block ends early");
  return { literals: literals.size, count, bitsAt: at, tables };
}

function checked(symbol: number, name: keyof typeof LIMITS): number {
  if (symbol > LIMITS[name].symbol) throw new Malformed("a table has too many symbols");
  return symbol;
}

interface Literals {
  readonly size: number;
  readonly huffman: Uint8Array;
  /** Where the sequences' section begins. */
  readonly end: number;
}

function readLiterals(block: Uint8Array, huffman: Uint8Array): Literals {
  const [a = 0, b = 0, c = 0, d = 0, e = 0] = block;
  const kind = a & 3;
  const format = (a >> 2) & 3;
  if (kind < COMPRESSED_LITERALS) {
    const header = format === 1 ? 2 : format === 3 ? 3 : 1;
    const size = header === 1 ? a >> 3 : (a >> 4) | (b << 4) | (header === 3 ? c << 12 : 0);
    return { size, huffman, end: header + (kind === RAW_LITERALS ? size : 1) };
  }
  // Two sizes of 10, 14 or 18 bits after the first four bits. As whole numbers: as quotients they
  // would make what follows sequences by them twice as slow.
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const header = format < 2 ? 3 : format + 2;
  const mask = (1 << width) - 1;
  const low = a | (b << 8) | (c << 16) | (d << 24);
  const size = (low >>> 4) & mask;
  const stored = ((low >>> (4 + width)) | (e << (28 - width))) & mask;
  const end = header + stored;
  if (kind !== COMPRESSED_LITERALS) return { size, huffman, end };
  return { size, huffman: huffmanDescription(block.subarray(header, end)), end };
}

/** RFC 8878, 4.2.1.1: below 128 the size of what is coded with FSE, else a count of half bytes. */
export function huffmanDescription(bytes: Uint8Array): Uint8Array {
  const first = bytes[0] ?? 0;
  const size = first < 128 ? first : (first - 127 + 1) >> 1;
  return bytes.slice(0, 1 + size);
}
