/** What a read of the range comes to; other ranges are read as they are. */
export const moods = ["well", "failing", "short", "stuck"] as const;
export type Mood = (typeof moods)[number];

export interface DiskConfig {
  readonly mountPoint: string;
  /** The file on a disk that works. */
  readonly path: string;
  readonly name: string;
}
