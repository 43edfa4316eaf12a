import type { Rule } from "../image/rules.ts";
import type { WalkEnd } from "./commands.ts";
import { headerLayout } from "./layout.ts";

/** What was counted on the way through the commands. */
export interface StreamFacts {
  /** Clusters stored, without the backup boot sector. */
  readonly stored: number;
  readonly gaps: number;
  /** More than none: a metadata image, whose clusters come in any order. */
  readonly negativeGaps: number;
  /** Is the cluster at position 0 stored? */
  readonly hasBoot: boolean;
  /** Is the position after the last cluster stored? */
  readonly hasBackupBoot: boolean;
  readonly end: WalkEnd;
  readonly inUse: bigint;
  readonly minorVersion: number;
  /** `null` for a stream of unknown length. */
  readonly fileSize: number | null;
}

/** Judged when the commands have been followed to their end. */
export const streamRules: readonly Rule<StreamFacts>[] = [
  {
    id: "NTC-DATA-END",
    reading: "warned",
    at: ({ end }) => end.imageOffset,
    broken: ({ end, fileSize }) =>
      end.broken || fileSize === null || fileSize <= end.imageOffset
        ? null
        : `${fileSize - end.imageOffset} bytes follow the image's end; they are ignored`,
  },
  {
    id: "NTC-IN-USE",
    reading: "warned",
    at: headerLayout.inUse.at,
    broken: ({ end, inUse, stored }) =>
      end.broken || inUse === BigInt(stored)
        ? null
        : `the header says ${inUse} clusters in use, ${stored} are stored; the commands are believed`,
  },
  {
    id: "NTC-BOOT-SECTOR",
    reading: "warned",
    at: ({ end }) => end.imageOffset,
    broken: ({ hasBoot }) => (hasBoot ? null : "cluster 0, the boot sector's, is not stored"),
  },
];
