import { ImageBackupError } from "../../bytes/errors.ts";

/** Where the bytes of a part of a disk come from. */
export type Filling =
  | { readonly bytes: Uint8Array }
  /** The beginning of a file. */
  | { readonly path: string }
  /** What the image of this device has from byte `from` on. */
  | { readonly device: string; readonly from: number }
  /** Nobody knows them, for this reason: they cannot be read. */
  | { readonly problem: string };

/** A part of a disk; all else of it is holes. */
export interface DiskPart {
  /** For people: `sda1`, `the partition table`. */
  readonly what: string;
  readonly start: number;
  readonly length: number;
  readonly filling: Filling;
}

export const bytesAt = (what: string, start: number, bytes: Uint8Array): DiskPart => ({
  ...{ what, start, length: bytes.length },
  filling: { bytes },
});

/** What of the bytes at the disk's beginning is not in places that are taken. */
export function besides(
  what: string,
  bytes: Uint8Array,
  taken: readonly Pick<DiskPart, "start" | "length">[],
): DiskPart[] {
  const sorted = [...taken].sort((a, b) => a.start - b.start);
  const ends = [0, ...sorted.map(({ start, length }) => start + length)];
  return ends.map((_, index) => {
    const from = Math.max(...ends.slice(0, index + 1));
    return bytesAt(what, from, bytes.subarray(from, sorted[index]?.start ?? bytes.length));
  });
}

/** In their order on the disk, those without bytes left out. Throws CORRUPT where some overlap. */
export function sortedApart(parts: readonly DiskPart[]): DiskPart[] {
  const problem = overlapOf(parts);
  if (problem !== null) throw new ImageBackupError("CORRUPT", problem);
  return sorted(parts);
}

/** Which parts are in the same place; `null`: none. */
export function overlapOf(parts: readonly DiskPart[]): string | null {
  const inOrder = sorted(parts);
  for (const [index, part] of inOrder.entries()) {
    const before = inOrder[index - 1];
    if (before && before.start + before.length > part.start) {
      return `${before.what} and ${part.what} overlap`;
    }
  }
  return null;
}

const sorted = (parts: readonly DiskPart[]): DiskPart[] =>
  parts.filter(({ length }) => length > 0).sort((a, b) => a.start - b.start);
