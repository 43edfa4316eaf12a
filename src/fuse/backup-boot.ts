import { ImageBackupError } from "../bytes/errors.ts";
import { decode, type Layout } from "../bytes/struct.ts";
import type { Image } from "../image/image.ts";
import { HOLE_GRAIN, type PartitionFile } from "./partition-file.ts";

/** Bytes that are shown where the image has none. */
export interface Patch {
  readonly deviceOffset: number;
  readonly bytes: Uint8Array;
}

/** The NTFS boot sector, as far as it is needed here. */
const BOOT_SECTOR = {
  magic: { at: 3, type: "text", size: 8 },
  sectorSize: { at: 11, type: "u16" },
  sectors: { at: 40, type: "u64" },
} as const satisfies Layout;
const BOOT_BYTES = 512;
const SECTOR_SIZES: ReadonlySet<number> = new Set([256, 512, 1024, 2048, 4096]);

/**
 * FUS-BACKUP-BOOT: the copy of the boot sector behind the last sector of NTFS; `null` where the
 * image stores what is there. Throws UNSUPPORTED where there can be none.
 */
export async function backupBootSector(image: Image, file: PartitionFile): Promise<Patch | null> {
  const head = new Uint8Array(Math.min(BOOT_BYTES, file.size));
  await file.read(head, 0);
  const refused = (why: string) =>
    new ImageBackupError("UNSUPPORTED", `--ntfs-backup-boot: ${why}; leave it out`);
  if (head.length < BOOT_BYTES) throw refused("the partition has no boot sector");
  const { magic, sectorSize, sectors } = decode(BOOT_SECTOR, head, true);
  if (magic !== "NTFS    " || !SECTOR_SIZES.has(sectorSize)) {
    throw refused(`the image holds ${image.fsType}, whose boot sector is not one of NTFS`);
  }
  const deviceOffset = Number(sectors) * sectorSize;
  if (deviceOffset === 0 || deviceOffset + sectorSize > image.deviceSize) {
    throw refused("the backup boot sector's place is not in the partition");
  }
  if (isStored(image, deviceOffset, sectorSize)) return null;
  const bytes = new Uint8Array(sectorSize);
  await file.read(bytes, 0);
  return { deviceOffset, bytes };
}

/** Does the image store the partition's last sector, where NTFS has the backup? */
export const storesLastSector = (image: Image): boolean =>
  isStored(image, Math.max(0, image.deviceSize - BOOT_BYTES), BOOT_BYTES);

function isStored(image: Image, deviceOffset: number, length: number): boolean {
  const { blockSize, blockCount } = image;
  const end = Math.min(blockCount, Math.ceil((deviceOffset + length) / blockSize));
  for (let block = Math.floor(deviceOffset / blockSize); block < end; block++) {
    if (image.runAt(block, 1).stored !== null) return true;
  }
  return false;
}

/** The partition with these bytes in it, too. */
export function patched(file: PartitionFile, { deviceOffset, bytes }: Patch): PartitionFile {
  const overlay = (into: Uint8Array, offset: number) => {
    const from = Math.max(offset, deviceOffset);
    const to = Math.min(offset + into.length, deviceOffset + bytes.length);
    if (from < to) into.set(bytes.subarray(from - deviceOffset, to - deviceOffset), from - offset);
  };
  const first = deviceOffset - (deviceOffset % HOLE_GRAIN);
  const lastByte = deviceOffset + bytes.length - 1;
  const end = Math.min(file.size, lastByte - (lastByte % HOLE_GRAIN) + HOLE_GRAIN);
  return {
    ...file,
    storedBytes: Math.min(file.size, file.storedBytes + bytes.length),
    read(into, offset) {
      const done = (got: number) => {
        overlay(into.subarray(0, got), offset);
        return got;
      };
      const got = file.read(into, offset);
      return typeof got === "number" ? done(got) : got.then(done);
    },
    nextData(offset) {
      const found = file.nextData(offset);
      if (offset >= end) return found;
      return Math.min(found ?? Number.POSITIVE_INFINITY, Math.max(offset, first));
    },
    nextHole(offset) {
      const found = file.nextHole(offset);
      if (found < first || found >= end) return found;
      return end === file.size ? end : file.nextHole(end);
    },
  };
}
