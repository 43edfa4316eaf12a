/** Parameters and fixtures: everything here is data, and a fixture is a pure function of its params. */

import type { VolumeParams } from "./volumes.ts";

export type ByteOrder = "little" | "big";
export type ChecksumMode = "none" | "crc32" | "xxh64" | "xxh128";
export type BitmapMode = "none" | "bits" | "bytes";

interface PartcloneParams {
  /** Seeds the content, and values the format leaves open. */
  readonly seed: number;
  readonly blockSize: number;
  /** Lengths of alternating runs of blocks; the first run is present (and may be empty). */
  readonly runs: readonly number[];
  /** Bytes of the device past the last block. */
  readonly tail: number;
  readonly fsType: string;
  /** Byte maps only: absent blocks take values from 2 to 255 too. */
  readonly otherValues: boolean;
}

export interface PartcloneV1Params extends PartcloneParams {
  readonly format: "partclone-v1";
  /** The header's used count minus the true one. */
  readonly usedError: number;
  /** 8: as written by 64-bit partclone before 0.1.0, with junk in the extra four bytes. */
  readonly checksumSize: 4 | 8;
}

export interface PartcloneV2Params extends PartcloneParams {
  readonly format: "partclone-v2";
  readonly byteOrder: ByteOrder;
  readonly cpuBits: 32 | 64;
  readonly checksumMode: ChecksumMode;
  readonly blocksPerChecksum: number;
  readonly reseed: boolean;
  /** With "none" every block is present, whatever the runs say. */
  readonly bitmapMode: BitmapMode;
  /** Sets the bitmap's bits past the last block. */
  readonly strayBits: boolean;
  /** The header's used counts minus the true one. */
  readonly usedSuperblockError: number;
  readonly usedBitmapError: number;
  /** A file system's structures among the content (spec/file-systems.md). */
  readonly volume?: VolumeParams;
}

/** Clusters stored one after the other from a position. */
export interface Visit {
  readonly position: number;
  readonly count: number;
}

export interface NtfscloneParams {
  readonly format: "ntfsclone";
  readonly seed: number;
  readonly clusterSize: number;
  readonly clusters: number;
  /** Bytes of the device past the last cluster. */
  readonly tail: number;
  readonly major: number;
  readonly minor: number;
  /** Only images with a major version below 10 can be big-endian. */
  readonly byteOrder: ByteOrder;
  /** Where the commands begin, from 50; major versions below 10 always begin at 46. */
  readonly dataOffset: number;
  readonly inUseError: number;
  /** The stored clusters in image order; position `clusters` is the backup boot sector's. */
  readonly visits: readonly Visit[];
  /** How many commands every gap is split into. */
  readonly gapPieces: number;
}

export type FixtureParams = PartcloneV1Params | PartcloneV2Params | NtfscloneParams;

/** In `Fixture.present`. */
export const ABSENT = 0;
export const PRESENT = 1;
/** The end of a big-endian bitmap was cut off: nobody can know (PC2-BIG-ENDIAN-TAIL). */
export const UNKNOWN = 2;

export interface StoredBlock {
  readonly block: number;
  readonly imageOffset: number;
  readonly length: number;
}

export interface Strip {
  /** Where the strip's first block is. */
  readonly imageOffset: number;
  readonly blocks: number;
  readonly checksumOffset: number;
  readonly checksumSize: number;
}

export interface Fixture<Params extends FixtureParams = FixtureParams> {
  readonly name: string;
  readonly format: Params["format"];
  readonly params: Params;
  /** The image file. */
  readonly image: Uint8Array;
  /** The partition the image stands for: exactly `deviceSize` bytes. */
  readonly partition: Uint8Array;
  readonly deviceSize: number;
  readonly blockSize: number;
  readonly blockCount: number;
  /** One byte a block: ABSENT, PRESENT or UNKNOWN. */
  readonly present: Uint8Array;
  /** In image order; an ntfsclone cluster may come twice, and the later one counts. */
  readonly stored: readonly StoredBlock[];
  readonly strips: readonly Strip[];
  /** Ids of the rules this image breaks; most often none. */
  readonly breaks: readonly string[];
  /** Which real tools can read it: partclone 0.3.23 and ntfsclone 2022.10.3. */
  readonly judges: {
    readonly chkimg: boolean;
    readonly restore: boolean;
    readonly ntfsclone: boolean;
  };
}
