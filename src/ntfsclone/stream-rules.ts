import { counted } from "../bytes/sizes.ts";
import type { Rule } from "../image/rules.ts";
import type { WalkEnd } from "./commands.ts";
import { headerLayout } from "./layout.ts";

/** An NTFS boot sector's bytes. */
export const SECTOR = 512;

/** What was counted on the way through the commands. */
export interface StreamFacts {
  /** Clusters stored, without the backup boot sector; one stored twice counts twice. */
  readonly stored: number;
  /** The same, where it counts once. */
  readonly distinct: number;
  readonly gaps: number;
  /** More than none: a metadata image, whose clusters come in any order. */
  readonly negativeGaps: number;
  /** Position of the first cluster in the image's order; `null` if it stores none. */
  readonly firstStored: number | null;
  /** The first sector of the cluster at position 0; `null` if it is not stored. */
  readonly boot: Uint8Array | null;
  /** The cluster at the position after the last one; `null` if it is not stored. */
  readonly backupBoot: Uint8Array | null;
  /** From version 10.1 on that one is part of every image. */
  readonly promisesBackup: boolean;
  readonly end: WalkEnd;
  readonly inUse: bigint;
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
        : `${counted(fileSize - end.imageOffset, "byte")} after the image's end: ignored`,
  },
  {
    id: "NTC-IN-USE",
    reading: "warned",
    at: headerLayout.inUse.at,
    broken: ({ end, inUse, distinct }) =>
      end.broken || inUse === BigInt(distinct)
        ? null
        : `the header says ${inUse} clusters in use, ${distinct} are stored; the commands are believed`,
  },
  {
    id: "NTC-BOOT-SECTOR",
    reading: "warned",
    at: ({ end }) => end.imageOffset,
    broken: ({ boot }) => (boot ? null : "cluster 0, the boot sector's, is not stored"),
  },
  {
    id: "NTC-BACKUP-BOOT",
    reading: "warned",
    at: ({ end }) => end.imageOffset,
    broken: ({ promisesBackup, boot, backupBoot, end }) => {
      if (!promisesBackup || end.broken) return null;
      if (!backupBoot) return "the backup boot sector is not stored";
      return boot === null || holdsCopy(backupBoot, boot)
        ? null
        : "the backup boot sector differs from the boot sector";
    },
  },
  {
    id: "NTC-ORDER",
    reading: "unaffected",
    at: ({ end }) => end.imageOffset,
    broken: ({ negativeGaps }) =>
      negativeGaps === 0
        ? null
        : `${counted(negativeGaps, "negative gap")}: a metadata image, without the contents of files`,
  },
];

/** Most often the copy is the device's last sector; on a longer device it is further up. */
function holdsCopy(cluster: Uint8Array, boot: Uint8Array): boolean {
  const length = Math.min(SECTOR, cluster.length, boot.length);
  const isCopy = (at: number) =>
    Buffer.compare(cluster.subarray(at, at + length), boot.subarray(0, length)) === 0;
  for (let at = 0; at + length <= cluster.length && length > 0; at += SECTOR) {
    if (isCopy(at)) return true;
  }
  return isCopy(cluster.length - length);
}
