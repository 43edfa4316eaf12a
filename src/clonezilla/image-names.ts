import { fileName, partitionNameOf } from "../source/partition-name.ts";

/** What the name of an image's file says. */
export interface ImageName {
  /** `sda1`, `nvme0n1p3`, `vg-lv`, `d1p1`, `d1p2.lv`, … */
  readonly device: string;
  /** As the name has it: `ext4`, `ntfs`, …; `null` where it does not say. */
  readonly fsType: string | null;
  /** Made by dd, or partclone.dd: the partition's bytes and nothing else. */
  readonly isRaw: boolean;
}

/** The compressors that Clonezilla names; older versions name none. */
const COMPRESSION = "(?:\\.(?:uncomp|gz|bz2|lzo|lzma|xz|lzip|lrz|lz4|zst))?";

/** `sda1.ext4-ptcl-img.zst`; in older folders `sda1.ext4-img`, `sda1.ntfs-img`, `sda1.dd-img`. */
const CLONEZILLA = new RegExp(`^(?<device>.+)\\.(?<fsType>[^.]+?)(?:-ptcl)?-img${COMPRESSION}$`);
/** `d1p2.img`: the second partition of the first disk; `d1p2.lv.img`: a logical volume in it. */
const FOG = /^(?<device>d\d+p\d+(?:\.[\w.+-]+)?)\.img$/;

/** Reads the name of an image, without what tells its pieces; `null`: it says nothing. */
export function readImageName(name: string): ImageName | null {
  const { device, fsType = null } = (CLONEZILLA.exec(name) ?? FOG.exec(name))?.groups ?? {};
  if (device === undefined) return null;
  const isRaw = fsType === "dd";
  return { device: fileName(device), fsType: isRaw ? null : fsType, isRaw };
}

/** How the partition in a file is called that has any name. */
export const deviceOf = (name: string): string =>
  readImageName(name)?.device ?? partitionNameOf(name);

/** The file names of a disk's partitions: `sda1`, but `nvme0n1p1`. */
export const partitionDevice = (disk: string, number: number): string =>
  /\d$/.test(disk) ? `${disk}p${number}` : `${disk}${number}`;

/** Sorts `sda2` before `sda10`. */
export const byDevice = (a: string, b: string): number =>
  a.localeCompare(b, "en", { numeric: true });
