import { ImageBackupError } from "../bytes/errors.ts";
import type { FileContent } from "./lazy-file.ts";

/** A part of a file that has a content of its own. */
export interface Extent {
  /** Byte offset in the file. */
  readonly start: number;
  /** As many bytes of the content, which has no fewer. */
  readonly length: number;
  readonly content: FileContent;
}

/** Bytes in memory, all of them data. */
export function bytesContent(bytes: Uint8Array): FileContent {
  return {
    async read(into, offset) {
      const part = bytes.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
    nextData: (offset) => offset,
    nextHole: () => bytes.length,
  };
}

/** What a content has from byte `from` on. */
export const contentFrom = (content: FileContent, from: number): FileContent => ({
  read: (into, offset) => content.read(into, from + offset),
  async nextData(offset) {
    const found = await content.nextData(from + offset);
    return found === null ? null : found - from;
  },
  nextHole: async (offset) => (await content.nextHole(from + offset)) - from,
});

/**
 * Contents one after the other, sorted and apart from each other, with holes between them.
 */
export function extentsContent(size: number, extents: readonly Extent[]): FileContent {
  const from = (offset: number) => extents.filter(({ start, length }) => start + length > offset);
  return {
    async read(into, offset) {
      const length = Math.max(0, Math.min(into.length, size - offset));
      const target = into.subarray(0, length).fill(0);
      for (const extent of from(offset)) {
        if (extent.start >= offset + length) break;
        const first = Math.max(offset, extent.start);
        const end = Math.min(offset + length, extent.start + extent.length);
        const part = target.subarray(first - offset, end - offset);
        const got = await extent.content.read(part, first - extent.start);
        if (got < part.length) throw endsEarly(first + got);
      }
      return length;
    },
    async nextData(offset) {
      for (const extent of from(offset)) {
        const first = Math.max(offset, extent.start);
        const found = await dataIn(extent, first - extent.start);
        if (found !== null && found < extent.length) return extent.start + found;
      }
      return null;
    },
    async nextHole(offset) {
      let at = offset;
      for (const extent of from(offset)) {
        if (extent.start > at) break;
        const found = await holeIn(extent, at - extent.start);
        if (found < extent.length) return extent.start + found;
        at = extent.start + extent.length;
      }
      return Math.min(at, size);
    },
  };
}

const endsEarly = (at: number) =>
  new ImageBackupError("SHORT_READ", `what is at byte ${at} ends early: it has become shorter`);

/** A content that cannot be opened counts as data: whoever reads it learns why. */
async function dataIn({ content }: Extent, offset: number): Promise<number | null> {
  try {
    return await content.nextData(offset);
  } catch {
    return offset;
  }
}

async function holeIn({ content, length }: Extent, offset: number): Promise<number> {
  try {
    return await content.nextHole(offset);
  } catch {
    return length;
  }
}
