import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { layOutImage } from "../formats.ts";
import { mountFuse } from "../fuse/mount.ts";
import { serve } from "../fuse/serve.ts";
import { detectCompression, HEAD_SIZE } from "../source/compression.ts";
import {
  openStored,
  type StoredSource,
  shareStored,
  statusOf,
  wholePath,
} from "../source/stored.ts";
import { cacheDirectory } from "./cache.ts";
import type { Mounted, MountOptions } from "./mount.ts";
import { shellQuoted } from "./mounted-text.ts";
import type { ServingThreads } from "./threads.ts";

export interface Reporter {
  mounted(mounted: Mounted): void;
  log(line: string): void;
  debug(line: string): void;
}

/** An image that cannot be read in any order cannot be mounted: say what to do about it. */
async function openForMount(imagePath: string): Promise<StoredSource> {
  if (imagePath === "-") throw notMountable("-: standard input", SAVE);
  if (isPipe(imagePath)) throw notMountable(`${imagePath}: a pipe`, SAVE);
  const source = openStored(imagePath);
  const head = new Uint8Array(Math.min(HEAD_SIZE, source.size));
  await source.read(head, 0);
  const compression = detectCompression(head);
  if (!compression) return source;
  const { name, command } = compression;
  const target = imagePath.replace(/\.(gz|bz2|zst|lz4|xz|lzma|lz|lzo)$/, "");
  const output = target === imagePath ? `${imagePath}.img` : target;
  const advice = `decompress it first: ${command} ${shellQuoted(imagePath)} > ${shellQuoted(output)}`;
  throw notMountable(`${imagePath}: a ${name} compressed image`, advice);
}

const SAVE = "save it to a file first";

function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // Opening it as a file says what is wrong.
  }
}

function notMountable(what: string, advice: string): ImageBackupError {
  return new ImageBackupError("UNSUPPORTED", `${what} can be checked but not mounted; ${advice}`);
}

/** Mounts the image and serves it until it is unmounted. */
export async function serveImage(
  options: MountOptions,
  reporter: Reporter,
  threads: ServingThreads,
): Promise<void> {
  const { imagePath, debug, indexSize } = options;
  await using source = await openForMount(imagePath);
  // Before anything is read: what is written to the file from now on shows in its time.
  const status = statusOf(source);
  const cache = cacheDirectory();
  const layOut = {
    verify: options.verify,
    ...(indexSize === undefined ? {} : { indexSize }),
    ...(cache === null ? {} : { cache }),
  };
  const opened = await layOutImage(source, layOut);
  const { image, shared, findings } = opened;
  const fileName = partitionName(imagePath);
  const mount = mountFuse({ mountPoint: options.mountPoint, source: resolve(imagePath) });
  const task = {
    stored: shareStored(source, status),
    shared,
    fileName,
    status: { ...status },
    debug,
  };
  await serve(mount, {
    createWorker: (fuseFd) => threads.assign({ ...task, fuseFd }),
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

/** The image's name without `.img`, and without what tells its pieces. */
function partitionName(imagePath: string): string {
  const name = basename(wholePath(imagePath));
  return name.replace(/(?<=.)\.img$/, "");
}
