import { statSync } from "node:fs";
import { join, resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { readImageFolder } from "../clonezilla/image-folder.ts";
import { serveConcurrently } from "../fuse/concurrent-session.ts";
import { serve } from "../fuse/serve.ts";
import { filesOfFolder } from "./folder-files.ts";
import type { FolderMounted, FolderMountOptions } from "./folder-mount.ts";
import { diskProblems, problemsOf } from "./folder-table.ts";
import { mountPlace } from "./mount-place.ts";
import { mountableImages } from "./mountable-images.ts";
import type { Reporter } from "./run-server.ts";

/** Mounts what the folder has, and serves it until it is unmounted. */
export async function serveFolder(
  options: FolderMountOptions,
  reporter: Reporter<FolderMounted>,
): Promise<void> {
  const { folderPath, mountPoint, verify, indexDirectory, debug } = options;
  const opening = { verify, indexDirectory, log: reporter.log };
  // In the background the working directory is another when an image is opened.
  const folder = await mountableImages(await readImageFolder(resolve(folderPath)), opening);
  await using opened = new AsyncDisposableStack();
  const shown = filesOfFolder(folder, opening, opened);
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
    { imagePath: folder.path, mountPoint, files: false, isFolder: true },
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
      reporter.mounted({
        mountPoint: mount.mountPoint,
        files,
        missing: [...problems, ...diskProblems(folder)],
      });
    },
    log: reporter.log,
    debug: reporter.debug,
  });
}
