import type { Detail } from "./backup-image.ts";
import type { Finding } from "./rules.ts";

/** What is known of an image before, or without, its data being proved. */
export interface Dump {
  readonly title: string;
  readonly details: readonly Detail[];
  readonly findings: readonly Finding[];
  /** The finding that forbids reading the data. */
  readonly refused: Finding | null;
}

/** Told what a check meets, in the order in which it meets it. */
export interface CheckVisitor {
  /** Blocks under one count of the rank index, which the dump tells. */
  readonly indexSize?: number | undefined;
  /** The header, and all else that comes before the data, are read. */
  described?(dump: Dump): void;
  /** The data comes next; the whole image has about `totalBytes`. */
  begin?(totalBytes: number): void;
  /** `imageOffset` bytes of the image have been read. */
  advance?(imageOffset: number): void;
  finding?(finding: Finding): void;
}

export interface Checked {
  readonly dump: Dump;
  /** All that is wrong; of more bad strips than `MOST_KEPT`, the first ones. */
  readonly findings: readonly Finding[];
  readonly strips: { readonly good: number; readonly bad: number; readonly unknown: number };
  /** What was proved, for people: `CRC32 of 2,560 blocks`. */
  readonly proof: string;
}

/** Findings kept: a hostile image can have billions of bad strips. */
export const MOST_KEPT = 1000;
