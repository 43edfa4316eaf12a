/** Reads through the mount, side by side with a passthrough of the raw partition in C. */
import type { Lab } from "./lab.ts";
import { dropCaches, loopDevice, type Mounter, mounted, otherMounter, warm } from "./mounts.ts";
import { type Rate, type Reading, readWithFio } from "./reading.ts";
import type { Bar, Row, Subject } from "./row.ts";
import { fragmented, v1 } from "./synthetic.ts";
import { ext4, ntfs, type Volume, volumeBytes } from "./volumes.ts";

type VolumeOf = (lab: Lab) => Volume;
type ReadingOf = (lab: Lab) => Reading;

const sequential =
  (direct: boolean, jobs: number): ReadingOf =>
  (lab) => ({ pattern: "read", block: "1M", direct, jobs, bytes: volumeBytes(lab) });

const random =
  (jobs: number): ReadingOf =>
  () => ({ pattern: "randread", block: "4k", direct: true, jobs, bytes: null });

interface MountRow {
  readonly id: string;
  readonly title: string;
  readonly atLeast: number;
  readonly volume?: VolumeOf;
  readonly reading: ReadingOf;
  readonly against?: Mounter;
  readonly rounds?: number;
  /** Measure these, too: they tell what can be reached. */
  readonly floors?: readonly Mounter[];
  /** Begin each reading with an empty page cache. */
  readonly cold?: true;
}

const figureOf = (rate: Rate, { pattern }: Reading): number =>
  pattern === "read" ? rate.bytesPerSecond : rate.iops;

function readBy(by: Mounter, volume: VolumeOf, reading: ReadingOf, cold: boolean): Subject {
  return async (lab) => {
    const file = await mounted(lab, by, volume(lab));
    if (cold) dropCaches();
    else warm(lab, volume(lab));
    return figureOf(readWithFio(file, reading(lab)), reading(lab));
  };
}

/** The raw file from the page cache, without FUSE: what no mount reaches. */
const readRaw =
  (volume: VolumeOf, reading: ReadingOf, cold: boolean): Subject =>
  (lab) => {
    if (cold) dropCaches();
    const cached = { ...reading(lab), direct: false, keepCache: true };
    return figureOf(readWithFio(volume(lab).raw, cached), cached);
  };

function mountRow(row: MountRow): Row {
  const { id, title, atLeast, volume = ext4, reading, against = "C", cold = false } = row;
  const bar: Bar = { kind: "at least", value: atLeast, unit: "x" };
  return {
    id,
    title,
    bar,
    quantity:
      id.startsWith("random") || id.includes("-random") ? "reads per second" : "bytes per second",
    subjects: {
      ours: readBy("ours", volume, reading, cold),
      [against]: readBy(against, volume, reading, cold),
      ...Object.fromEntries(
        (row.floors ?? []).map((by) => [by, readBy(by, volume, reading, cold)]),
      ),
      ...(otherMounter ? { PEER: readBy("PEER", volume, reading, cold) } : {}),
      "raw file": readRaw(volume, reading, cold),
    },
    result: (figure) => figure("ours") / figure(against),
    formula: `ours / ${against}`,
    ...(row.rounds === undefined ? {} : { rounds: row.rounds }),
    ...(cold || against === "C, same readahead" ? { needsRoot: true as const } : {}),
  };
}

/** The scheduler places threads on cores in one way or another for a whole run. */
const MANY = 9;

/** What Bun can do at most: with a copy of its own, and from a mapping. */
const SEQUENTIAL_FLOORS: readonly Mounter[] = ["floor", "floor, shifted", "floor, gathering"];

/** What Bun and C can do at most, with data at the beginning of pages and within them. */
const FLOORS: readonly Mounter[] = ["floor", "floor, shifted", "C, shifted"];

const loopReading: ReadingOf = sequential(true, 1);

const loopRow: Row = {
  id: "loop",
  title: "through losetup --direct-io=on, 1 MiB",
  bar: { kind: "at least", value: 0.8, unit: "x" },
  quantity: "bytes per second",
  subjects: {
    ours: async (lab) =>
      readWithFio(loopDevice(lab, await mounted(lab, "ours", ext4(lab))), loopReading(lab))
        .bytesPerSecond,
    "raw file": (lab) =>
      readWithFio(loopDevice(lab, ext4(lab).raw), loopReading(lab)).bytesPerSecond,
  },
  result: (figure) => figure("ours") / figure("raw file"),
  formula: "ours / raw file",
  needsRoot: true,
};

const rows: readonly MountRow[] = [
  // First: what a floor of the rows below has mapped stays in the page cache.
  {
    id: "cold",
    title: "cold, sequential, buffered; the peer with our readahead",
    atLeast: 0.9,
    reading: sequential(false, 1),
    against: "C, same readahead",
    cold: true,
  },
  {
    id: "cold-random-4",
    title: "cold, random 4 KiB, direct, 4 jobs",
    atLeast: 0.9,
    reading: random(4),
    cold: true,
    floors: FLOORS,
  },
  {
    id: "direct-v2",
    title: "sequential, direct, 1 MiB; v2, CRC32",
    atLeast: 1.2,
    reading: sequential(true, 1),
    floors: SEQUENTIAL_FLOORS,
  },
  {
    id: "direct-v1",
    title: "sequential, direct, 1 MiB; v1, a checksum each 4 KiB",
    atLeast: 0.95,
    volume: v1,
    reading: sequential(true, 1),
  },
  {
    id: "direct-ntfs",
    title: "sequential, direct, 1 MiB; ntfsclone",
    atLeast: 0.95,
    volume: ntfs,
    reading: sequential(true, 1),
  },
  {
    id: "buffered",
    title: "sequential, buffered; the peer as it comes",
    atLeast: 1.3,
    reading: sequential(false, 1),
    floors: SEQUENTIAL_FLOORS,
  },
  {
    id: "buffered-same",
    title: "sequential, buffered; the peer with our readahead",
    atLeast: 1,
    reading: sequential(false, 1),
    against: "C, same readahead",
  },
  {
    id: "direct-4",
    title: "4 direct streams, 1 MiB",
    atLeast: 1.1,
    reading: sequential(true, 4),
    floors: SEQUENTIAL_FLOORS,
  },
  {
    id: "buffered-2",
    title: "2 buffered streams",
    atLeast: 1.1,
    reading: sequential(false, 2),
    floors: SEQUENTIAL_FLOORS,
  },
  {
    id: "random-1",
    title: "random 4 KiB, direct, 1 job",
    atLeast: 0.9,
    reading: random(1),
    rounds: MANY,
    floors: FLOORS,
  },
  {
    id: "random-4",
    title: "random 4 KiB, direct, 4 jobs",
    atLeast: 1.1,
    reading: random(4),
    rounds: MANY,
    floors: FLOORS,
  },
  {
    id: "fragmented",
    title: "sequential, direct, 1 MiB; every other block absent",
    atLeast: 0.3,
    volume: fragmented,
    reading: sequential(true, 1),
  },
];

export const mountRows: readonly Row[] = [...rows.map(mountRow), loopRow];
