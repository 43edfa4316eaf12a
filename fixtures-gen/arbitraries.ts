import fc from "fast-check";
import { build } from "./build.ts";
import type {
  ByteOrder,
  Fixture,
  FixtureParams,
  NtfscloneParams,
  PartcloneV1Params,
  PartcloneV2Params,
  Visit,
} from "./fixture.ts";
import { buildNtfsclone } from "./ntfsclone.ts";
import { buildPartcloneV1 } from "./partclone-v1.ts";
import { buildPartcloneV2 } from "./partclone-v2.ts";

/** Small enough for a thousand images a property. */
const MAX_PARTITION = 192 * 1024;
const MAX_BLOCKS = 400;

const seed = fc.nat(0xffff_ffff);

/** Mostly what file systems use; the format itself allows any positive size. */
const partcloneBlockSize = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(512, 1024, 2048, 4096) },
  { weight: 2, arbitrary: fc.constantFrom(8192, 16384, 32768, 65536) },
  { weight: 1, arbitrary: fc.constantFrom(1, 8, 520, 1536, 4095) },
);

const fsType = fc.constantFrom("EXTFS", "NTFS", "BTRFS", "XFS", "FAT32", "HFS Plus", "raw");

/** Short and long runs, so that bits, bytes and words of the bitmap are crossed. */
const runLengths = fc.array(fc.oneof(fc.nat(3), fc.nat(20), fc.nat(130)), {
  minLength: 1,
  maxLength: 12,
});

/** Bytes past the last block: none, less than a sector, a sector, more than a block. */
const tail = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(512) },
  { weight: 2, arbitrary: fc.nat(9000) },
);

const mostlyFalse = fc.oneof(
  { weight: 3, arbitrary: fc.constant(false) },
  { weight: 1, arbitrary: fc.constant(true) },
);

const mostlyRight = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -40, max: 400 }) },
);

/** Cuts the runs to a block count that keeps the partition small, and to at least one block. */
function fitRuns(runs: readonly number[], blockSize: number): readonly number[] {
  const limit = Math.max(1, Math.min(MAX_BLOCKS, Math.floor(MAX_PARTITION / blockSize)));
  let left = limit;
  const fitting = runs.map((run) => {
    const length = Math.min(run, left);
    left -= length;
    return length;
  });
  return left === limit ? [1] : fitting;
}

function withFittingRuns<P extends PartcloneV1Params | PartcloneV2Params>(params: P): P {
  return { ...params, runs: fitRuns(params.runs, params.blockSize) };
}

export function partcloneV1Params(): fc.Arbitrary<PartcloneV1Params> {
  return fc
    .record({
      format: fc.constant("partclone-v1" as const),
      seed,
      blockSize: partcloneBlockSize,
      runs: runLengths,
      tail,
      fsType,
      otherValues: mostlyFalse,
      usedError: mostlyRight,
      checksumSize: fc.constantFrom(4 as const, 4 as const, 4 as const, 8 as const),
    })
    .map(withFittingRuns);
}

const blocksPerChecksum = fc.oneof(
  fc.constantFrom(1, 2, 8, 64, 256, 2560),
  fc.integer({ min: 1, max: 40 }),
);

const littleMostly: fc.Arbitrary<ByteOrder> = fc.oneof(
  { weight: 3, arbitrary: fc.constant("little" as const) },
  { weight: 1, arbitrary: fc.constant("big" as const) },
);

/** Without checksums there are no blocks per checksum (PC2-CHECKSUM-BLOCKS). */
function withoutIdleStrips(params: PartcloneV2Params): PartcloneV2Params {
  return params.checksumMode === "none" ? { ...params, blocksPerChecksum: 0 } : params;
}

export function partcloneV2Params(): fc.Arbitrary<PartcloneV2Params> {
  return fc
    .record({
      format: fc.constant("partclone-v2" as const),
      seed,
      blockSize: partcloneBlockSize,
      runs: runLengths,
      tail,
      fsType,
      otherValues: mostlyFalse,
      byteOrder: littleMostly,
      cpuBits: fc.constantFrom(64 as const, 32 as const),
      checksumMode: fc.constantFrom("none", "crc32", "xxh64", "xxh128"),
      blocksPerChecksum,
      reseed: fc.boolean(),
      bitmapMode: fc.constantFrom("bits", "bits", "bits", "bytes", "none"),
      strayBits: mostlyFalse,
      usedSuperblockError: mostlyRight,
      usedBitmapError: mostlyRight,
    })
    .map(withFittingRuns)
    .map(withoutIdleStrips);
}

interface NtfsShape {
  readonly seed: number;
  readonly clusterSize: number;
  readonly runs: readonly number[];
  /** Positions gone to out of order, as fractions of the volume: a metadata image's way. */
  readonly jumps: readonly (readonly [at: number, count: number])[];
  readonly tail: number;
  readonly version: readonly [major: number, minor: number];
  readonly byteOrder: ByteOrder;
  readonly extraHeader: number;
  readonly inUseError: number;
  readonly backupBoot: boolean;
  readonly gapPieces: number;
}

function visitRuns(runs: readonly number[]): readonly Visit[] {
  let position = 0;
  const visits: Visit[] = [];
  for (const [index, count] of runs.entries()) {
    if (index % 2 === 0 && count > 0) visits.push({ position, count });
    position += count;
  }
  return visits;
}

function ntfscloneParamsOf(shape: NtfsShape): NtfscloneParams {
  const runs = fitRuns(shape.runs, shape.clusterSize);
  const clusters = runs.reduce((sum, run) => sum + run, 0);
  const jumps = shape.jumps.map(([at, count]): Visit => {
    const position = at % clusters;
    return { position, count: Math.min(count, clusters - position) };
  });
  const backup = shape.backupBoot && shape.tail > 0 ? [{ position: clusters, count: 1 }] : [];
  const [major, minor] = shape.version;
  return {
    format: "ntfsclone",
    seed: shape.seed,
    clusterSize: shape.clusterSize,
    clusters,
    tail: shape.tail,
    major,
    minor,
    byteOrder: major < 10 ? shape.byteOrder : "little",
    dataOffset: 50 + shape.extraHeader,
    inUseError: shape.inUseError,
    visits: [...visitRuns(runs), ...jumps, ...backup],
    gapPieces: shape.gapPieces,
  };
}

const jumps = fc.oneof(
  { weight: 2, arbitrary: fc.constant([]) },
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 9 })), { maxLength: 8 }),
  },
);

/** An unknown minor version is read like 10.1; below 10 the version is the NTFS volume's. */
const VERSIONS: readonly (readonly [major: number, minor: number])[] = [
  [10, 1],
  [10, 0],
  [10, 7],
  [3, 1],
];
const version = fc.constantFrom(...VERSIONS);

export function ntfscloneParams(): fc.Arbitrary<NtfscloneParams> {
  return fc
    .record({
      seed,
      clusterSize: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(256, 512, 1024, 2048, 4096) },
        { weight: 1, arbitrary: fc.constantFrom(8192, 65536) },
      ),
      runs: runLengths,
      jumps,
      tail: fc.oneof(fc.constant(512), fc.constant(0), fc.nat(9000)),
      version,
      byteOrder: littleMostly,
      extraHeader: fc.oneof(fc.constant(6), fc.nat(200)),
      inUseError: mostlyRight,
      backupBoot: fc.boolean(),
      gapPieces: fc.integer({ min: 1, max: 3 }),
    })
    .map(ntfscloneParamsOf);
}

export function partcloneV1(): fc.Arbitrary<Fixture<PartcloneV1Params>> {
  return partcloneV1Params().map((params) => buildPartcloneV1(params));
}

export function partcloneV2(): fc.Arbitrary<Fixture<PartcloneV2Params>> {
  return partcloneV2Params().map((params) => buildPartcloneV2(params));
}

export function ntfscloneImage(): fc.Arbitrary<Fixture<NtfscloneParams>> {
  return ntfscloneParams().map((params) => buildNtfsclone(params));
}

export function anyParams(): fc.Arbitrary<FixtureParams> {
  return fc.oneof<fc.MaybeWeightedArbitrary<FixtureParams>[]>(
    { weight: 1, arbitrary: partcloneV1Params() },
    { weight: 3, arbitrary: partcloneV2Params() },
    { weight: 2, arbitrary: ntfscloneParams() },
  );
}

export function anyImage(): fc.Arbitrary<Fixture> {
  return anyParams().map((params) => build(params));
}
