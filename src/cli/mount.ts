import { fstatSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { openImage } from "../formats.ts";
import {
  isBackgroundChild,
  reportFailure,
  reportReady,
  startInBackground,
} from "../fuse/background.ts";
import { mountFuse } from "../fuse/mount.ts";
import { serve } from "../fuse/serve.ts";
import { openFile } from "../source/file.ts";
import type { WorkerTask } from "./worker.ts";

export interface MountOptions {
  readonly imagePath: string;
  readonly mountPoint: string;
  /** Stay in the foreground; print a line for each request. */
  readonly debug: boolean;
  readonly indexSize?: number;
}

/** What the command prints once the mount answers. */
export interface Mounted {
  /** The virtual partition's path. */
  readonly file: string;
  readonly mountPoint: string;
  readonly fsType: string;
  readonly deviceSize: number;
  /** False: other users, root included, cannot read the file. */
  readonly allowOther: boolean;
  readonly warnings: readonly string[];
}

export interface Reporter {
  mounted(mounted: Mounted): void;
  log(line: string): void;
  debug(line: string): void;
}

/** Mounts the image: served by this process with `debug`, by one in the background otherwise. */
export async function mountImage(options: MountOptions, reporter: Reporter): Promise<void> {
  if (isBackgroundChild()) await serveInBackground(options);
  else if (options.debug) await serveImage(options, reporter);
  else reporter.mounted(JSON.parse(startInBackground(process.argv.slice(2)).payload) as Mounted);
}

async function serveInBackground(options: MountOptions): Promise<void> {
  try {
    await serveImage(options, {
      mounted: (mounted) => reportReady(JSON.stringify(mounted)),
      log: () => {},
      debug: () => {},
    });
  } catch (error) {
    reportFailure(error instanceof Error ? error.message : String(error));
    process.exit(1);
  }
}

async function serveImage(options: MountOptions, reporter: Reporter): Promise<void> {
  const { imagePath, debug, indexSize } = options;
  await using source = openFile(imagePath);
  const opened = await openImage(source, indexSize === undefined ? {} : { indexSize });
  const { image, shared, findings } = opened;
  const status = fstatSync(source.fd, { bigint: true });
  const fileName = partitionName(imagePath);
  const mount = mountFuse({ mountPoint: options.mountPoint, source: resolve(imagePath) });
  const task = {
    image: { name: source.name, fd: source.fd, size: source.size, shared },
    fileName,
    status: { ...status },
    debug,
  };
  await serve(mount, {
    createWorker: (fuseFd) =>
      new Worker(new URL("./worker.ts", import.meta.url), {
        workerData: { ...task, fuseFd } satisfies WorkerTask,
      }),
    onReady: () =>
      reporter.mounted({
        file: join(mount.mountPoint, fileName),
        mountPoint: mount.mountPoint,
        fsType: image.fsType,
        deviceSize: image.deviceSize,
        allowOther: mount.allowOther,
        warnings: findings
          .filter(({ reading }) => reading === "warned")
          .map(({ rule, message }) => `${message} (${rule})`),
      }),
    log: reporter.log,
    debug: reporter.debug,
  });
}

/** The image's name without `.img`. */
function partitionName(imagePath: string): string {
  const name = basename(imagePath);
  return name.replace(/(?<=.)\.img$/, "");
}
