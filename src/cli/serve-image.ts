import { type LaidOutImage, layOutImage, type OpenOptions } from "../formats.ts";
import { backupBootSector, patched, storesLastSector } from "../fuse/backup-boot.ts";
import { serveConcurrently } from "../fuse/concurrent-session.ts";
import { type PartitionFile, partitionFile } from "../fuse/partition-file.ts";
import { type ServeOptions, serve } from "../fuse/serve.ts";
import type { Image } from "../image/image.ts";
import { partitionNameOf } from "../source/partition-name.ts";
import { shareStored, statusOf, wholePath } from "../source/stored.ts";
import type { Mounted, MountOptions } from "./mount.ts";
import { type Mountable, mountPlace } from "./mount-place.ts";
import { layOutCompressed, openMountable } from "./open-for-mount.ts";
import type { Reporter } from "./run-server.ts";
import type { ServingThreads } from "./threads.ts";

/** Mounts the image and serves it until it is unmounted. */
export async function serveImage(
  options: MountOptions,
  reporter: Reporter<Mounted>,
  threads: ServingThreads,
): Promise<void> {
  const { imagePath, debug } = options;
  const { source, compression } = await openMountable(imagePath);
  // Before anything is read: what is written to the file from now on shows in its time.
  const status = statusOf(source);
  const fileName = partitionNameOf(wholePath(imagePath));
  if (compression) {
    threads.dismiss();
    const laidOut = await layOutCompressed(source, compression, layOutOptions(options), {
      indexDirectory: options.indexDirectory,
      log: reporter.log,
    });
    await using _source = laidOut.image.source;
    const file = partitionFile(laidOut.image, fileName, status);
    const patch = await patchOf(options, laidOut.image, file);
    await serveLaidOut(laidOut, { fileName, status }, options, reporter, (fuseFd) => [
      serveConcurrently(fuseFd, [patch === null ? file : patched(file, patch)], debug),
    ]);
    return;
  }
  await using stored = source;
  const laidOut = await layOutImage(source, layOutOptions(options));
  const { image, shared } = laidOut;
  const task = {
    stored: shareStored(stored, status),
    shared,
    fileName,
    status: { ...status },
    patch: await patchOf(options, image, partitionFile(image, fileName, status)),
    debug,
  };
  await serveLaidOut(laidOut, { fileName, status }, options, reporter, (fuseFd) =>
    threads.assignAll({ ...task, fuseFd }),
  );
}

function layOutOptions({ verify, indexSize, indexDirectory }: MountOptions): OpenOptions {
  return {
    ...(verify && { verify }),
    ...(indexSize !== undefined && { indexSize }),
    ...(indexDirectory !== null && { cache: indexDirectory }),
  };
}

const patchOf = async ({ backupBoot }: MountOptions, image: Image, file: PartitionFile) =>
  backupBoot ? await backupBootSector(image, file) : null;

async function serveLaidOut(
  { image, findings }: LaidOutImage,
  what: Omit<Mountable, "fsType">,
  options: MountOptions,
  reporter: Reporter<Mounted>,
  createWorkers: ServeOptions["createWorkers"],
): Promise<void> {
  using place = mountPlace(options, { ...what, fsType: image.fsType });
  const { mount } = place;
  await serve(mount, {
    createWorkers,
    shownAt: place.shownAt,
    onReady: async (guard) =>
      reporter.mounted({
        file: await place.ready(guard),
        mountPoint: mount.mountPoint,
        fsType: image.fsType,
        backupBoot: options.backupBoot || storesLastSector(image),
        deviceSize: image.deviceSize,
        allowOther: mount.allowOther,
        warnings: findings
          .filter(({ reading }) => reading === "warned")
          .map(({ rule, message }) => `${message} (${rule})`),
      }),
    log: reporter.log,
    debug: reporter.debug,
  });
  const last = place.ended();
  if (last !== null) reporter.log(last);
}
