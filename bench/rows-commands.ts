/** Commands, start-up, memory, restoring; and how costs grow. */
import { readFileSync, rmSync, truncateSync } from "node:fs";
import { resolve } from "node:path";
import { must, secondsOf } from "./command.ts";
import type { Lab } from "./lab.ts";
import { floorMountSeconds, mounted, mountSeconds, ownCache, script, serverOf } from "./mounts.ts";
import { readWithFio } from "./reading.ts";
import type { Row, Subject } from "./row.ts";
import { scattered } from "./scattered.ts";
import { BLOCK, scaled, smallXxh128, sparse, usedOfSparse, xxh128 } from "./synthetic.ts";
import { emptyExt4Image, ext4, ntfs, type Volume } from "./volumes.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const TIB = 2 ** 40;
/** partclone sleeps for two seconds without -f0, and logs to /var/log without -L. */
const QUICK = ["-q", "-f0", "-L", "/dev/null"];

const cat =
  (volume: (lab: Lab) => Volume): Subject =>
  (lab) =>
    secondsOf(["cat", volume(lab).image]);

const CHECKS = {
  "-c": [...script("vpartclone"), "-c", "-q"],
  vconform: script("vconform"),
} as const;
type Check = keyof typeof CHECKS;

const check =
  (image: (lab: Lab) => string, by: Check = "-c"): Subject =>
  (lab) =>
    secondsOf([...CHECKS[by], image(lab)]);

interface Checked {
  readonly volume: (lab: Lab) => Volume;
  /** Of the same kind, all but empty: what a check costs before there is anything to read. */
  readonly empty: (lab: Lab) => string;
  readonly title: string;
}

const crc32: Checked = { volume: ext4, empty: emptyExt4Image, title: "2 GB, CRC32" };
const xxh: Checked = { volume: xxh128, empty: smallXxh128, title: "2 GB, XXH128 with reseed" };

const checkRow = (
  id: string,
  by: Check,
  { volume, empty, title }: Checked,
  atMost: number,
): Row => ({
  id,
  title: `${by}, ${title}, beyond start-up`,
  bar: { kind: "at most", value: atMost, unit: "x" },
  quantity: "seconds",
  subjects: {
    ours: check((lab) => volume(lab).image, by),
    cat: cat(volume),
    "start-up": check(empty, by),
  },
  result: (figure) => (figure("ours") - figure("start-up")) / figure("cat"),
  formula: "(ours - start-up) / cat",
});

const mountedIn = (
  id: string,
  title: string,
  image: (lab: Lab) => string,
  atMost: number,
): Row => ({
  id,
  title,
  bar: { kind: "at most", value: atMost, unit: "ms" },
  quantity: "seconds",
  subjects: {
    ours: (lab) => mountSeconds(lab, { program: "vpartclone", image: image(lab) }),
    floor: (lab) => floorMountSeconds(lab, ext4(lab)),
  },
  result: (figure) => figure("ours") * 1000,
  formula: "ours",
});

const large = (lab: Lab): string => scaled(lab, lab.quick ? TIB : 16 * TIB);
const scaledFile = (lab: Lab, bytes: number): Promise<string> =>
  mounted(lab, "ours", { program: "vpartclone", image: scaled(lab, bytes), raw: "" });

/** The most memory that the serving process ever had, after reads all over the partition. */
async function peakMemory(lab: Lab): Promise<number> {
  const file = await scaledFile(lab, lab.quick ? TIB : 16 * TIB);
  readWithFio(file, { pattern: "randread", block: "4k", direct: true, jobs: 4, bytes: null });
  const status = readFileSync(`/proc/${serverOf(file)}/status`, "utf8");
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

const bitmapBytes = (lab: Lab): number => (lab.quick ? TIB : 16 * TIB) / BLOCK / 8;

async function firstNtfsMount(lab: Lab): Promise<number> {
  rmSync(`${ownCache(lab).XDG_CACHE_HOME}/vpartclone`, { recursive: true, force: true });
  return await mountSeconds(lab, ntfs(lab));
}

/** Runs a command that writes a file, which is removed again. */
function writing(lab: Lab, argv: (output: string) => readonly string[]): number {
  const output = lab.path("output");
  const seconds = secondsOf(argv(output));
  rmSync(output);
  return seconds;
}

const usedPart = (lab: Lab): string =>
  lab.once("used part", () => {
    const path = lab.path("used");
    must(["cp", "--sparse=never", ext4(lab).raw, path]);
    truncateSync(path, usedOfSparse(lab));
    return path;
  });

const SIZES = { "1 GiB": GIB, "64 GiB": 64 * GIB, "1 TiB": TIB, "16 TiB": 16 * TIB };

function scaleRow(id: string, title: string, cost: (file: string, bytes: number) => number): Row {
  const subjects = Object.entries(SIZES).map(([name, bytes]): [string, Subject] => [
    name,
    async (lab) => cost(await scaledFile(lab, bytes), bytes),
  ]);
  return {
    id,
    title,
    bar: { kind: "at most", value: 1.15, unit: "x" },
    quantity: "seconds",
    subjects: Object.fromEntries(subjects),
    result: (figure) => figure("16 TiB") / figure("1 GiB"),
    formula: "16 TiB / 1 GiB",
  };
}

const SCALED_STRETCH = 256 * MIB;

function sequentialCost(file: string, bytes: number): number {
  const range = { bytes: SCALED_STRETCH, from: bytes / 2 };
  const reading = { pattern: "read", block: "1M", direct: true, jobs: 1, ...range } as const;
  return MIB / readWithFio(file, reading).bytesPerSecond;
}

const restoreRow: Row = {
  id: "restore",
  title: "restore with blockReader to a sparse file",
  bar: { kind: "at most", value: 1.2, unit: "x" },
  quantity: "seconds",
  subjects: {
    ours: (lab) =>
      writing(lab, (output) => [
        process.execPath,
        resolve(import.meta.dir, "restore.ts"),
        ext4(lab).image,
        output,
      ]),
    "partclone.restore": (lab) =>
      writing(lab, (output) => [
        "partclone.restore",
        "-W",
        ...QUICK,
        "-s",
        ext4(lab).image,
        "-o",
        output,
      ]),
  },
  result: (figure) => figure("ours") / figure("partclone.restore"),
  formula: "ours / partclone.restore",
};

const chkimgRow: Row = {
  id: "check-chkimg",
  title: "-c, 2 GB, CRC32, against partclone.chkimg",
  bar: { kind: "at least", value: 10, unit: "x" },
  quantity: "seconds",
  subjects: {
    ours: check((lab) => ext4(lab).image),
    "partclone.chkimg": (lab) =>
      secondsOf(["partclone.chkimg", "-f0", "-L", "/dev/null", "-s", ext4(lab).image]),
  },
  result: (figure) => figure("partclone.chkimg") / figure("ours"),
  formula: "partclone.chkimg / ours",
};

const sparseRow: Row = {
  id: "sparse-copy",
  title: "cp --sparse=auto of 64 GiB with 1 GiB used",
  bar: { kind: "at most", value: 1.5, unit: "x" },
  quantity: "seconds",
  subjects: {
    ours: async (lab) => {
      const image = { program: "vpartclone", image: sparse(lab), raw: "" } as const;
      const file = await mounted(lab, "ours", image);
      return writing(lab, (output) => ["cp", "--sparse=auto", file, output]);
    },
    "1 GiB": (lab) => writing(lab, (output) => ["cp", "--sparse=never", usedPart(lab), output]),
  },
  result: (figure) => figure("ours") / figure("1 GiB"),
  formula: "ours / 1 GiB",
};

const memoryRow: Row = {
  id: "memory-16t",
  title: "peak memory, 16 TiB partition, beyond its bitmap + 4 %",
  bar: { kind: "at most", value: 120, unit: "MB" },
  quantity: "bytes",
  subjects: { ours: peakMemory, bitmap: bitmapBytes },
  result: (figure) => (figure("ours") - 1.04 * figure("bitmap")) / 1e6,
  formula: "ours - 1.04 bitmap",
};

const firstIndexRow: Row = {
  id: "ntfs-first",
  title: "ntfsclone, first mount: following the commands",
  bar: { kind: "at most", value: 1.5, unit: "x" },
  quantity: "seconds",
  subjects: {
    ours: firstNtfsMount,
    cat: cat(ntfs),
    "mount of an empty image": (lab) =>
      mountSeconds(lab, { program: "vpartclone", image: emptyExt4Image(lab) }),
  },
  result: (figure) => (figure("ours") - figure("mount of an empty image")) / figure("cat"),
  formula: "(ours - mount of an empty image) / cat",
};

const savedIndexRow: Row = {
  id: "ntfs-saved",
  title: "ntfsclone, later mounts: the saved index",
  bar: { kind: "at most", value: 200, unit: "ms" },
  quantity: "seconds",
  subjects: { ours: (lab) => mountSeconds(lab, ntfs(lab)) },
  result: (figure) => figure("ours") * 1000,
  formula: "ours",
};

const helpRow: Row = {
  id: "help",
  title: "vpartclone --help, beyond bun -e 0",
  bar: { kind: "at most", value: 60, unit: "ms" },
  quantity: "seconds",
  subjects: {
    ours: () => secondsOf([...script("vpartclone"), "--help"]),
    "bun -e 0": () => secondsOf([process.execPath, "-e", "0"]),
  },
  result: (figure) => (figure("ours") - figure("bun -e 0")) * 1000,
  formula: "ours - bun -e 0",
  rounds: 15,
};

export const commandRows: readonly Row[] = [
  sparseRow,
  checkRow("check-crc32", "-c", crc32, 1.3),
  chkimgRow,
  checkRow("check-xxh128", "-c", xxh, 2),
  checkRow("conform-crc32", "vconform", crc32, 1.5),
  checkRow("conform-xxh128", "vconform", xxh, 2),
  mountedIn("mount", "mount of the 2 GB image until it answers", (lab) => ext4(lab).image, 150),
  mountedIn("mount-16t", "mount of the 16 TiB image until it answers", large, 1000),
  memoryRow,
  firstIndexRow,
  savedIndexRow,
  restoreRow,
  scaleRow("scale-random", "random 4 KiB, cost at 16 TiB to 1 GiB", (file) => scattered(file)),
  scaleRow("scale-sequential", "sequential, cost at 16 TiB to 1 GiB", sequentialCost),
  helpRow,
];
