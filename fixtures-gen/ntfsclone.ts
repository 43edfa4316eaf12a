import { partitionContent } from "./content.ts";
import {
  ABSENT,
  type ByteOrder,
  type Fixture,
  type NtfscloneParams,
  PRESENT,
  type StoredBlock,
} from "./fixture.ts";
import { concatenate } from "./strips.ts";
import { put } from "./struct.ts";
import { NTFS_BOOT_SECTOR } from "./volumes.ts";

/** spec/ntfsclone.md, "Header". */
export const NTFSCLONE_HEADER = {
  magic: [0, 16],
  major: [16, 1],
  minor: [17, 1],
  clusterSize: [18, 4],
  deviceSize: [22, 8],
  clusters: [30, 8],
  inUse: [38, 8],
  dataOffset: [46, 4],
} as const;
/** Images with a lower major version end their header here, and are in the writer's byte order. */
export const OLD_HEADER_SIZE = 46;
const ENDIAN_SAFE_MAJOR = 10;

export const GAP = 0;
export const NEXT = 1;
export const GAP_SIZE = 9;

const BOOT_SECTOR_SIZE = 512;

/**
 * A boot sector that leads nowhere else: $MFT and its mirror are said to be in cluster 0, and to have
 * records of 256 bytes. The volume has a cluster less than the image, so that it fits on a device that
 * is too small for the clusters (NTC-DEVICE-SIZE).
 */
function markBootSector(sector: Uint8Array, { clusterSize, clusters }: NtfscloneParams): void {
  const sectorSize = Math.min(BOOT_SECTOR_SIZE, clusterSize);
  const clusterSectors = Math.floor(clusterSize / sectorSize);
  const values = {
    name: "NTFS    ",
    sectorSize,
    clusterSectors: clusterSectors > 128 ? 256 - Math.log2(clusterSectors) : clusterSectors,
    sectors: Math.max(0, clusters - 1) * clusterSectors,
    mft: 0,
    mirror: 0,
    recordSize: 256 - 8,
  };
  put(sector, NTFS_BOOT_SECTOR, values, "little");
  sector.set([0xeb, 0x52, 0x90]);
  sector.set([0x55, 0xaa], sector.length - 2);
}

export function encodeGap(count: number, order: ByteOrder): Uint8Array {
  const command = new Uint8Array(GAP_SIZE);
  command[0] = GAP;
  new DataView(command.buffer).setBigInt64(1, BigInt(count), order === "little");
  return command;
}

/** A gap as up to `pieces` commands, none of them zero (NTC-GAP-NOT-ZERO). */
export function splitGap(gap: number, pieces: number): readonly number[] {
  const parts: number[] = [];
  for (let left = gap, rest = Math.min(pieces, Math.abs(gap)); rest > 0; rest--) {
    const part = Math.trunc(left / rest);
    parts.push(part);
    left -= part;
  }
  return parts;
}

interface Commands {
  readonly pieces: readonly Uint8Array[];
  readonly stored: readonly StoredBlock[];
  /** Whether a position is gone back to, or stored twice (NTC-ORDER). */
  readonly outOfOrder: boolean;
}

/** How many bytes of the device lie at a position. */
function lengthAt(position: number, clusterSize: number, deviceSize: number): number {
  return Math.max(0, Math.min(clusterSize, deviceSize - position * clusterSize));
}

function lastVisits(params: NtfscloneParams): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  for (const [index, { position, count }] of params.visits.entries()) {
    for (let each = position; each < position + count; each++) last.set(each, index);
  }
  return last;
}

function encodeCommands(params: NtfscloneParams, partition: Uint8Array, start: number): Commands {
  const { clusterSize, clusters, byteOrder } = params;
  const last = lastVisits(params);
  const pieces: Uint8Array[] = [];
  const stored: StoredBlock[] = [];
  let imageOffset = start;
  let at = 0;
  let outOfOrder = false;
  const emit = (bytes: Uint8Array) => {
    pieces.push(bytes);
    imageOffset += bytes.length;
  };
  const moveTo = (position: number) => {
    if (position < at) outOfOrder = true;
    for (const part of splitGap(position - at, params.gapPieces)) emit(encodeGap(part, byteOrder));
    at = position;
  };
  for (const [index, { position, count }] of params.visits.entries()) {
    moveTo(position);
    for (; at < position + count; at++) {
      const length = lengthAt(at, clusterSize, partition.length);
      const truth = partition.subarray(at * clusterSize, at * clusterSize + length);
      emit(Uint8Array.of(NEXT));
      stored.push({ block: at, imageOffset, length });
      // Of a cluster stored twice the later one counts: the earlier one is made to differ.
      emit(last.get(at) === index ? truth : truth.map((byte) => byte ^ 0xff));
    }
  }
  if (at < clusters) moveTo(clusters);
  return { pieces, stored, outOfOrder };
}

function checkVisits({ visits, clusters }: NtfscloneParams): void {
  for (const [index, { position, count }] of visits.entries()) {
    const end = position + count;
    // ntfsclone stops reading once it is past the backup boot sector (NTC-DATA-END).
    const limit = index === visits.length - 1 ? clusters + 1 : clusters;
    if (position < 0 || end > limit) throw new RangeError(`visit ${index} leaves the volume`);
  }
}

function encodeHeader(params: NtfscloneParams, deviceSize: number, inUse: number): Uint8Array {
  const isOld = params.major < ENDIAN_SAFE_MAJOR;
  const header = new Uint8Array(isOld ? OLD_HEADER_SIZE : params.dataOffset);
  const { major, minor, clusterSize, clusters, dataOffset } = params;
  const values = { magic: "\0ntfsclone-image", major, minor, clusterSize, deviceSize, clusters };
  put(header, NTFSCLONE_HEADER, { ...values, inUse }, params.byteOrder);
  if (!isOld) put(header, NTFSCLONE_HEADER, { dataOffset }, "little");
  return header;
}

/** The device's content; the stored position after the last cluster ends in the boot sector. */
function partitionOf(params: NtfscloneParams, deviceSize: number, present: Uint8Array): Uint8Array {
  const { clusterSize, clusters } = params;
  const isStored = (position: number) => present[position] === PRESENT;
  const partition = partitionContent(params.seed, deviceSize, clusterSize, isStored);
  const bootSize = Math.min(BOOT_SECTOR_SIZE, clusterSize, deviceSize);
  if (isStored(0)) markBootSector(partition.subarray(0, bootSize), params);
  const length = lengthAt(clusters, clusterSize, deviceSize);
  if (isStored(clusters) && clusters > 0) {
    const size = Math.min(bootSize, length);
    partition.copyWithin(clusters * clusterSize + length - size, 0, size);
  }
  return partition;
}

/** A count cannot be negative, so not every error can be made. */
const headerInUse = ({ inUseError }: NtfscloneParams, inUse: number): number =>
  Math.max(0, inUse + inUseError);

function expectedBreaks(
  params: NtfscloneParams,
  outOfOrder: boolean,
  present: Uint8Array,
  inUse: number,
): readonly string[] {
  const { major, minor, clusters } = params;
  const backup = present[clusters] === PRESENT;
  const broken: Record<string, boolean> = {
    "NTC-IN-USE": headerInUse(params, inUse) !== inUse,
    "NTC-BOOT-SECTOR": present[0] !== PRESENT,
    "NTC-BACKUP-BOOT": major === ENDIAN_SAFE_MAJOR && minor >= 1 && !backup,
    "NTC-ORDER": outOfOrder,
  };
  return Object.keys(broken).filter((id) => broken[id]);
}

export function buildNtfsclone(
  params: NtfscloneParams,
  name = `ntfsclone ${params.major}.${params.minor} ${params.clusterSize} B seed ${params.seed}`,
): Fixture<NtfscloneParams> {
  checkVisits(params);
  const { clusterSize, clusters, major, byteOrder } = params;
  const deviceSize = clusters * clusterSize + params.tail;
  // One more than the clusters: the backup boot sector's position.
  const positions = new Uint8Array(clusters + 1).fill(ABSENT);
  for (const { position, count } of params.visits) {
    positions.fill(PRESENT, position, position + count);
  }
  const present = positions.subarray(0, clusters);
  const inUse = present.reduce((sum, value) => sum + value, 0);
  const partition = partitionOf(params, deviceSize, positions);
  const header = encodeHeader(params, deviceSize, headerInUse(params, inUse));
  const { pieces, stored, outOfOrder } = encodeCommands(params, partition, header.length);
  const readable = major === ENDIAN_SAFE_MAJOR || byteOrder === "little";
  return {
    name,
    format: params.format,
    params,
    image: concatenate([header, ...pieces]),
    partition,
    deviceSize,
    blockSize: clusterSize,
    blockCount: clusters,
    present,
    stored,
    strips: [],
    breaks: expectedBreaks(params, outOfOrder, positions, inUse),
    judges: { chkimg: false, restore: false, ntfsclone: readable },
  };
}
