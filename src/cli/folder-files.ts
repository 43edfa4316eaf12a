import { type BigIntStats, statSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import type { DiskPart } from "../clonezilla/disk/disk-part.ts";
import type { DiskLayout } from "../clonezilla/disk/layout.ts";
import type { ImageFolder } from "../clonezilla/image-folder.ts";
import { partitionSize, type SavedImage } from "../clonezilla/saved-image.ts";
import { bytesContent, contentFrom, extentsContent } from "../fuse/extents-content.ts";
import { type FileAttributes, type FileContent, lazyContent, lazyFile } from "../fuse/lazy-file.ts";
import type { ServedFile } from "../fuse/served-file.ts";
import { openPartition, openPlain, type PartitionOptions } from "./open-partition.ts";

/** A file of the mount, and what people are told of it. */
export interface Shown {
  readonly file: ServedFile;
  readonly what: string;
}

/** The files that a folder's mount has, each opened when it is first read. */
export function filesOfFolder(
  folder: ImageFolder,
  options: PartitionOptions,
  opened: AsyncDisposableStack,
): Shown[] {
  const partitions = partitionFiles(folder, options, opened);
  const files = new Map(partitions.map(({ file }) => [file.name, file]));
  const disks = folder.disks.flatMap(({ device, layout, table }) => {
    const content = layout && diskContent(folder, layout, files, opened);
    if (!content) return [];
    const attributes = attributesOfDisk(folder, device, layout);
    const label = table?.label === "gpt" ? "GPT" : "MBR";
    return [{ file: { ...attributes, ...content }, what: `the whole disk, ${label}` }];
  });
  return [...partitions, ...disks];
}

/** The partitions whose images open. */
function partitionFiles(
  { partitions }: ImageFolder,
  options: PartitionOptions,
  opened: AsyncDisposableStack,
): Shown[] {
  return partitions.flatMap(({ device, image, size: onDisk }) => {
    const size = image && partitionSize(image, onDisk);
    if (!image || image.problem !== null || size === null) return [];
    const open = async () => opened.use(await openPartition(image, size, options));
    const file = lazyFile(attributesOf(device, image, size), open);
    return [{ file, what: `the ${image.fsType ?? image.format} partition` }];
  });
}

/** A part of a disk whose image does not open fails its readers only. */
function diskContent(
  { partitions }: ImageFolder,
  { size, parts }: DiskLayout,
  files: ReadonlyMap<string, FileContent>,
  opened: AsyncDisposableStack,
): FileContent {
  const problemOf = (device: string) =>
    partitions.find((each) => each.device === device)?.image?.problem ?? `${device}: has no image`;
  const contentOf = ({ filling }: DiskPart): FileContent => {
    if ("bytes" in filling) return bytesContent(filling.bytes);
    if ("path" in filling) {
      return lazyContent(async () => opened.use(openPlain(filling.path)));
    }
    if ("problem" in filling) return failing(filling.problem);
    const content = files.get(filling.device) ?? failing(problemOf(filling.device));
    return filling.from === 0 ? content : contentFrom(content, filling.from);
  };
  const extents = parts.map((part) => ({ ...part, content: contentOf(part) }));
  return extentsContent(size, extents);
}

const failing = (problem: string): FileContent =>
  lazyContent(() => Promise.reject(new ImageBackupError("CORRUPT", problem)));

const BLOCK_SIZE = 4096;

function attributesOf(name: string, image: SavedImage, size: number): FileAttributes {
  const status = statSync(image.path, { bigint: true });
  return { name, size, ...statusAttributes(status), storedBytes: image.storedBytes ?? size };
}

/** Whoever may read the disk may read all images in it. */
function attributesOfDisk(folder: ImageFolder, name: string, layout: DiskLayout): FileAttributes {
  const devices = new Set(
    layout.parts.flatMap(({ filling }) => ("device" in filling ? [filling.device] : [])),
  );
  const images = folder.partitions.flatMap(({ device, image }) =>
    image && devices.has(device) ? [image] : [],
  );
  const all = images.map(({ path }) => statSync(path, { bigint: true }));
  const [first = statSync(folder.path, { bigint: true }), ...others] = all;
  const isTheirs = others.every(({ uid, gid }) => uid === first.uid && gid === first.gid);
  const status = statusAttributes(first);
  return {
    ...{ name, size: layout.size, ...status },
    ...(!isTheirs && { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 }),
    mode: all.reduce((mode, each) => mode & Number(each.mode), isTheirs ? status.mode : 0o400),
    storedBytes: images.reduce((sum, { storedBytes }) => sum + (storedBytes ?? 0), 0),
  };
}

function statusAttributes({ mode, uid, gid, atimeNs, mtimeNs, ctimeNs }: BigIntStats) {
  return {
    ...{ mode: Number(mode), uid: Number(uid), gid: Number(gid) },
    ...{ atimeNs, mtimeNs, ctimeNs, blockSize: BLOCK_SIZE },
  };
}
