import { ImageBackupError } from "../bytes/errors.ts";
import type { Image } from "../image/image.ts";
import { btrfs } from "./file-systems/btrfs.ts";
import { exfat } from "./file-systems/exfat.ts";
import { ext } from "./file-systems/ext.ts";
import { f2fs } from "./file-systems/f2fs.ts";
import { fat } from "./file-systems/fat.ts";
import type { FileSystem, PlacesRule } from "./file-systems/file-system.ts";
import { ntfs } from "./file-systems/ntfs.ts";
import { xfs } from "./file-systems/xfs.ts";
import { Partition, type Place } from "./partition.ts";
import type { Verdict } from "./verdict.ts";

export const fileSystems: readonly FileSystem[] = [ext, ntfs, fat, exfat, xfs, btrfs, f2fs];

const BLOCK_ZERO = "FSS-BLOCK-ZERO";
const SUPERBLOCK = "FSS-SUPERBLOCK";
const SIZE = "FSS-SIZE";
/** Far more than any file system has; damaged numbers can mean billions. */
const MOST_PLACES = 2 ** 20;

const fileSystemNamed = (fsType: string) =>
  fileSystems.find(({ names }) => names.includes(fsType.toUpperCase()));

/** The rules of spec/file-systems.md for the file system that the image names. */
export async function judgeFileSystem(image: Image): Promise<ReadonlyMap<string, Verdict>> {
  const partition = new Partition(image);
  const verdicts = new Map<string, Verdict>();
  verdicts.set(BLOCK_ZERO, blockZero(partition, image.format));
  const fileSystem = fileSystemNamed(partition.fsType);
  if (!fileSystem) {
    const reason = `the image names '${partition.fsType}', which spec/file-systems.md does not describe`;
    for (const id of [SUPERBLOCK, SIZE]) verdicts.set(id, { status: "not applicable", reason });
    return verdicts;
  }
  const superblock = await superblockOf(fileSystem, partition);
  verdicts.set(SUPERBLOCK, "bytes" in superblock ? { status: "pass" } : superblock);
  if (!("bytes" in superblock)) {
    const reason = `${SUPERBLOCK} has no superblock to go by`;
    for (const id of [SIZE, ...fileSystem.rules.map((rule) => rule.id)]) {
      verdicts.set(id, { status: "not judged", reason });
    }
    return verdicts;
  }
  verdicts.set(SIZE, sizeFits(fileSystem.size(superblock.bytes), partition));
  for (const rule of fileSystem.rules) {
    verdicts.set(rule.id, await judgePlaces(rule, superblock.bytes, partition));
  }
  return verdicts;
}

/** The same rules for an image whose blocks cannot be placed. */
export function unjudgedFileSystem(fsType: string, reason: string): ReadonlyMap<string, Verdict> {
  const own = fileSystemNamed(fsType)?.rules.map(({ id }) => id) ?? [];
  const ids = [BLOCK_ZERO, SUPERBLOCK, SIZE, ...own];
  return new Map(ids.map((id) => [id, { status: "not judged", reason }]));
}

const BLOCK_0: Place = { name: "block 0", deviceOffset: 0, length: 1 };

function blockZero(partition: Partition, format: string): Verdict {
  if (format.startsWith("ntfsclone")) {
    return { status: "not applicable", reason: "NTC-BOOT-SECTOR says it of ntfsclone's images" };
  }
  if (partition.deviceSize === 0) {
    return { status: "not applicable", reason: "the device has no block" };
  }
  return verdictOf(absence(BLOCK_0, partition));
}

async function superblockOf(
  { superblock, flaw }: FileSystem,
  partition: Partition,
): Promise<{ readonly bytes: Uint8Array } | Verdict> {
  const absent = absence(superblock, partition);
  // That block 0 is missing is said once.
  if (absent && absent.place.deviceOffset < Math.min(partition.blockSize, partition.deviceSize)) {
    return {
      status: "not judged",
      reason: `${superblock.name} is in block 0, which is not stored`,
    };
  }
  if (absent) return verdictOf(absent);
  return readable(async () => {
    const bytes = await partition.read(superblock.deviceOffset, superblock.length);
    const problem = flaw(bytes);
    const message = `the image names ${partition.fsType}, but ${superblock.name} says otherwise: ${problem}`;
    return problem === null ? { bytes } : verdictOf({ message, place: superblock });
  });
}

function sizeFits(size: number, { deviceSize }: Partition): Verdict {
  if (size <= deviceSize) return { status: "pass" };
  const message = `the file system has ${size} bytes by its superblock, the device ${deviceSize}`;
  return verdictOf({ message, place: { deviceOffset: deviceSize } });
}

async function judgePlaces(
  { idle, places }: PlacesRule,
  superblock: Uint8Array,
  partition: Partition,
): Promise<Verdict> {
  const reason = idle?.(superblock);
  if (reason) return { status: "not applicable", reason };
  return readable(async () => {
    let left = MOST_PLACES;
    for await (const place of places(superblock, partition)) {
      if (left-- === 0)
        return { status: "not judged", reason: `over ${MOST_PLACES} places to look at` };
      const absent = absence(place, partition);
      if (absent) return verdictOf(absent);
    }
    return verdictOf(null);
  });
}

interface Absence {
  readonly message: string;
  readonly place: Pick<Place, "deviceOffset">;
}

/** Why a place of the file system cannot be read from the image. */
function absence(place: Place, partition: Partition): Absence | null {
  const { name, deviceOffset, length } = place;
  if (!partition.isOnDevice(place)) {
    const past = { deviceOffset: partition.deviceSize };
    return { message: `${name} would lie past the device's end`, place: past };
  }
  const missing = partition.firstMissing(place);
  if (missing === null) return null;
  const block = Math.floor(missing / partition.blockSize);
  const message = `block ${block} is not stored, so ${name} (bytes ${deviceOffset} to ${deviceOffset + length - 1} of the partition) would read as zeros`;
  return { message, place: { deviceOffset: missing } };
}

/** No reader looks into the file system: whoever mounts the partition is the first to notice. */
function verdictOf(absent: Absence | null): Verdict {
  if (absent === null) return { status: "pass" };
  const { deviceOffset } = absent.place;
  const failure = { found: absent.message, deviceOffset, reading: "unaffected" as const };
  return { status: "fail", failures: [failure], total: 1 };
}

/** What cannot be read (a pipe has gone past it, the image is cut) cannot be judged. */
async function readable<T>(judge: () => Promise<T>): Promise<T | Verdict> {
  try {
    return await judge();
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    return { status: "not judged", reason: error.message };
  }
}
