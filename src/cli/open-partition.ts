import { ImageBackupError } from "../bytes/errors.ts";
import { handOver } from "../bytes/hand-over.ts";
import type { SavedImage } from "../clonezilla/saved-image.ts";
import { layOutImage, type OpenOptions, reviveImage } from "../formats.ts";
import type { FileContent } from "../fuse/lazy-file.ts";
import { partitionFile } from "../fuse/partition-file.ts";
import type { Image } from "../image/image.ts";
import type { SeekableOptions } from "../seekable/open-seekable.ts";
import { openFile } from "../source/file.ts";
import type { ByteSource } from "../source/source.ts";
import { reviveStored, type StoredSource, shareStored, statusOf } from "../source/stored.ts";
import {
  layOutCompressed,
  type MountableFile,
  openCompressed,
  openMountable,
} from "./open-for-mount.ts";

export interface PartitionOptions extends SeekableOptions {
  /** Prove each strip before it is first read, where the image has checksums. */
  readonly verify: boolean;
}

/** A partition that can be read, until it is disposed of. */
export type OpenedPartition = FileContent & AsyncDisposable;

/** Opens the partition in an image of a folder; `size`: its bytes, as the mount tells them. */
export async function openPartition(
  image: SavedImage,
  size: number,
  options: PartitionOptions,
): Promise<OpenedPartition> {
  const file = await openMountable(image.path);
  const open = image.format === "raw" ? openRaw : openLaidOut;
  return handOver(file.source, () => open(file, image, size, options));
}

async function openLaidOut(
  { source, compression }: MountableFile,
  { path, device }: SavedImage,
  size: number,
  options: PartitionOptions,
): Promise<OpenedPartition> {
  const status = statusOf(source);
  const { indexDirectory, verify } = options;
  const layOut: OpenOptions = {
    ...(verify && { verify: "until-proved" }),
    ...(indexDirectory !== null && { cache: indexDirectory }),
  };
  const image = compression
    ? (await layOutCompressed(source, compression, layOut, options)).image
    : await layOutPlain(source, layOut);
  if (image.deviceSize !== size) {
    await image.source[Symbol.asyncDispose]();
    const text = `${path}: is not the image any more that was here when the folder was mounted`;
    throw new ImageBackupError("CHANGED", text);
  }
  return closing(partitionFile(image, device, status), compression ? image.source : source);
}

/** Reads fail once somebody writes to the image's files. */
async function layOutPlain(source: StoredSource, options: OpenOptions): Promise<Image> {
  const status = statusOf(source);
  const { shared } = await layOutImage(source, options);
  return reviveImage(reviveStored(shareStored(source, status)), shared);
}

/** The bytes of a partition and nothing else. */
async function openRaw(
  { source, compression }: MountableFile,
  _: SavedImage,
  size: number,
  options: PartitionOptions,
): Promise<OpenedPartition> {
  const status = statusOf(source);
  const bytes: ByteSource = compression
    ? await openCompressed(source, compression, options)
    : reviveStored(shareStored(source, status));
  return closing(plainContent(bytes, size), compression ? bytes : source);
}

/** The bytes of a small file as they are. */
export function openPlain(path: string): OpenedPartition {
  const source = openFile(path);
  return closing(plainContent(source, source.size), source);
}

const plainContent = (bytes: ByteSource, size: number): FileContent => ({
  async read(into, offset) {
    const part = into.subarray(0, Math.max(0, size - offset));
    await bytes.read(part, offset);
    return part.length;
  },
  nextData: (offset) => offset,
  nextHole: () => size,
});

const closing = (content: FileContent, source: AsyncDisposable): OpenedPartition => ({
  read: (into, offset) => content.read(into, offset),
  nextData: (offset) => content.nextData(offset),
  nextHole: (offset) => content.nextHole(offset),
  [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
});
