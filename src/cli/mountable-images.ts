import { ImageBackupError } from "../bytes/errors.ts";
import type { ImageFolder } from "../clonezilla/image-folder.ts";
import type { SavedPartition } from "../clonezilla/partitions.ts";
import { partitionSize } from "../clonezilla/saved-image.ts";
import type { SeekableOptions } from "../seekable/open-seekable.ts";
import { openCompressed, openMountable } from "./open-for-mount.ts";

/** The folder with what a mount must know of its compressed images besides. */
export async function mountableImages(
  folder: ImageFolder,
  options: SeekableOptions,
): Promise<ImageFolder> {
  const partitions: SavedPartition[] = [];
  for (const partition of folder.partitions) partitions.push(await mountable(partition, options));
  return { ...folder, partitions };
}

async function mountable(
  partition: SavedPartition,
  options: SeekableOptions,
): Promise<SavedPartition> {
  const { image, size } = partition;
  if (image?.problem !== null || image.compression === null) return partition;
  const { path } = image;
  try {
    if (partitionSize(image, size) !== null) return partition;
    return { ...partition, image: { ...image, deviceSize: await sizeOf(path, options) } };
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    return { ...partition, image: { ...image, problem: error.message } };
  }
}

/** Bytes of compressed data: nothing but all of them tells, which are indexed on the way. */
async function sizeOf(path: string, options: SeekableOptions): Promise<number> {
  const { source, compression } = await openMountable(path);
  if (compression === null) throw new ImageBackupError("CHANGED", `${path}: is written to`);
  await using bytes = await openCompressed(source, compression, options);
  await bytes.indexed(() => {});
  return bytes.size;
}
