import { type BigIntStats, statSync } from "node:fs";
import { join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { type ImageFolder, readImageFolder } from "../clonezilla/image-folder.ts";
import type { SavedImage } from "../clonezilla/saved-image.ts";
import { serveConcurrently } from "../fuse/concurrent-session.ts";
import { lazyFile } from "../fuse/lazy-file.ts";
import { serve } from "../fuse/serve.ts";
import type { ServedFile } from "../fuse/served-file.ts";
import type { FolderMounted, FolderMountOptions } from "./folder-mount.ts";
import { problemsOf } from "./folder-table.ts";
import { mountPlace } from "./mount-place.ts";
import { openPartition, type PartitionOptions } from "./open-partition.ts";
import type { Reporter } from "./run-server.ts";

/** A file of the mount, and what people are told of it. */
interface Shown {
  readonly file: ServedFile;
  readonly what: string;
}

/** Mounts what the folder has, and serves it until it is unmounted. */
export async function serveFolder(
  options: FolderMountOptions,
  reporter: Reporter<FolderMounted>,
): Promise<void> {
  const { folderPath, mountPoint, verify, indexDirectory, debug } = options;
  const folder = await readImageFolder(folderPath);
  await using opened = new AsyncDisposableStack();
  const shown = partitionsOf(folder, { verify, indexDirectory, log: reporter.log }, opened);
  const problems = problemsOf(folder);
  const [first, ...others] = shown.map(({ file }) => file);
  if (!first) {
    throw new ImageBackupError(
      "NOT_AN_IMAGE",
      problems[0] ?? `${folderPath}: there is no image in it`,
    );
  }
  const status = statSync(folder.path, { bigint: true });
  using place = mountPlace(
    { imagePath: folder.path, mountPoint, files: false },
    { fileName: "", fsType: "", status },
  );
  const { mount } = place;
  await serve(mount, {
    createWorkers: (fuseFd) => [serveConcurrently(fuseFd, [first, ...others], debug)],
    onReady: async (guard) => {
      await place.ready(guard);
      const files = shown.map(({ file: { name, size }, what }) => ({
        ...{ path: join(mount.mountPoint, name), size, what },
      }));
      reporter.mounted({ mountPoint: mount.mountPoint, files, missing: problems });
    },
    log: reporter.log,
    debug: reporter.debug,
  });
}

/** The partitions whose images open, each opened when it is first read. */
function partitionsOf(
  { partitions }: ImageFolder,
  options: PartitionOptions,
  opened: AsyncDisposableStack,
): Shown[] {
  return partitions.flatMap(({ device, image, size: onDisk }) => {
    const size = image?.deviceSize ?? onDisk;
    if (!image || image.problem !== null || size === null) return [];
    const open = async () => opened.use(await openPartition(image, size, options));
    const file = lazyFile(attributesOf(device, image, size), open);
    return [{ file, what: `the ${image.fsType ?? image.format} partition` }];
  });
}

const BLOCK_SIZE = 4096;

function attributesOf(name: string, image: SavedImage, size: number) {
  const { mode, uid, gid, atimeNs, mtimeNs, ctimeNs }: BigIntStats = statSync(image.path, {
    bigint: true,
  });
  return {
    ...{ name, size, mode: Number(mode), uid: Number(uid), gid: Number(gid) },
    ...{ atimeNs, mtimeNs, ctimeNs, blockSize: BLOCK_SIZE },
    storedBytes: image.storedBytes ?? size,
  };
}
