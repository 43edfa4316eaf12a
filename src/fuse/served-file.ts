/** One of the files of a mount, as the file system needs it. What is not known at once is awaited. */
export interface ServedFile {
  readonly name: string;
  readonly size: number;
  /** Permission bits; only the read bits count. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970: a number of milliseconds would keep only every 244th. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Bytes that are really there, for `st_blocks`: clients look for holes only where it is smaller. */
  readonly storedBytes: number;
  readonly blockSize: number;
  /** Fills `into`, less only at the file's end; throws or rejects where the bytes cannot be had. */
  read(into: Uint8Array, offset: number): number | Promise<number>;
  /** The first byte at or after `offset` (inside the file) that is no hole; null: holes to the end. */
  nextData(offset: number): number | null | Promise<number | null>;
  /** The first byte at or after `offset` (inside the file) that is a hole, or the file's size. */
  nextHole(offset: number): number | Promise<number>;
}
