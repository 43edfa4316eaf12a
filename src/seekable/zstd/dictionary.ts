import { viewOf } from "../../bytes/view.ts";
import { type FseTable, LIMITS, readFseTable } from "./fse.ts";
import { huffmanDescription, type Tables } from "./sections.ts";
import type { Repeats } from "./sequences.ts";

/** RFC 8878, 5: the magic number of a dictionary, and any identifier: no frame names it. */
const HEADER = Uint8Array.of(0x37, 0xa4, 0x30, 0xec, 1, 0, 0, 0);

/** A table of one symbol has no description, and so no place in a dictionary. */
export function areDescribed({ literalLengths, offsets, matchLengths }: Tables): boolean {
  return [literalLengths, offsets, matchLengths].every(({ description }) => description !== null);
}

/**
 * A decoder's state between two blocks, as a dictionary without its content (RFC 8878, 5): the
 * content is the window. So every decoder can begin there.
 */
export function toDictionary(tables: Tables, repeats: Repeats): Uint8Array {
  const offsets = new Uint8Array(12);
  for (const [index, offset] of repeats.entries())
    viewOf(offsets).setUint32(index * 4, offset, true);
  const described = ({ description }: FseTable) => description ?? new Uint8Array();
  return Buffer.concat([
    HEADER,
    tables.huffman,
    described(tables.offsets),
    described(tables.matchLengths),
    described(tables.literalLengths),
    offsets,
  ]);
}

export function fromDictionary(dictionary: Uint8Array): { tables: Tables; repeats: Repeats } {
  let rest = dictionary.subarray(HEADER.length);
  const huffman = huffmanDescription(rest);
  rest = rest.subarray(huffman.length);
  const table = ({ log, symbol }: (typeof LIMITS)[keyof typeof LIMITS]) => {
    const found = readFseTable(rest, log, symbol);
    rest = rest.subarray(found.description?.length ?? 0);
    return found;
  };
  const offsets = table(LIMITS.offsets);
  const matchLengths = table(LIMITS.matchLengths);
  const literalLengths = table(LIMITS.literalLengths);
  const fields = viewOf(rest);
  const offsetAt = (at: number) => fields.getUint32(at, true);
  return {
    tables: { huffman, literalLengths, offsets, matchLengths },
    repeats: [offsetAt(0), offsetAt(4), offsetAt(8)],
  };
}
