import type { Partition, Place } from "../partition.ts";

/** Where a rule's blocks are, by the file system's own account. */
export interface PlacesRule {
  readonly id: string;
  /** Why the rule says nothing of this file system; `null` if it does. */
  readonly idle?: (superblock: Uint8Array) => string | null;
  /** In ascending order, one after the other: damaged numbers may mean very many. */
  readonly places: (
    superblock: Uint8Array,
    partition: Partition,
  ) => Iterable<Place> | AsyncIterable<Place>;
}

/** What is known of one kind of file system: enough to find what it cannot be mounted without. */
export interface FileSystem {
  /** As images name it. */
  readonly names: readonly string[];
  /** What everything else is found by (FSS-SUPERBLOCK). */
  readonly superblock: Place;
  /** Why these bytes are no such superblock, `null` if they are one (FSS-SUPERBLOCK). */
  readonly flaw: (superblock: Uint8Array) => string | null;
  /** Bytes the file system takes by its own account (FSS-SIZE). */
  readonly size: (superblock: Uint8Array) => number;
  readonly rules: readonly PlacesRule[];
}

export function isPowerOfTwo(value: number, from: number, to: number): boolean {
  return value >= from && value <= to && Number.isInteger(Math.log2(value));
}
