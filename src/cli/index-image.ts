import { statSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { humanSize } from "../bytes/sizes.ts";
import { noProgress, showProgress } from "../image/progress.ts";
import { SETTLED_MS, unsettledMs } from "../seekable/saved-index.ts";
import type { StoredSource } from "../source/stored.ts";
import { openCompressed, openMountable } from "./open-for-mount.ts";

export interface IndexImageOptions {
  readonly imagePath: string;
  /** Where the index is kept; `null`: there is no such place. */
  readonly indexDirectory: string | null;
  readonly quiet: boolean;
}

/** Makes the index of a compressed image that its first mount would make. */
export async function indexImage(options: IndexImageOptions): Promise<void> {
  const { imagePath, indexDirectory, quiet } = options;
  const { source, compression } = await openMountable(imagePath);
  if (compression === null) {
    await source[Symbol.asyncDispose]();
    process.stdout.write(`${printable(imagePath)}: is not compressed and needs no index\n`);
    return;
  }
  await untilSettled(source);
  // What goes wrong is thrown by indexed(), too.
  const opened = { indexDirectory, log() {} };
  await using seekable = await openCompressed(source, compression, opened);
  const { indexPath } = seekable;
  if (indexPath === null) throw notKept(indexDirectory);
  const progress = quiet ? noProgress : showProgress(imagePath, source.size);
  try {
    await seekable.indexed((share) => progress.update(share * source.size));
    progress.update(source.size);
  } finally {
    progress.stop();
  }
  const size = humanSize(statSync(indexPath).size);
  process.stdout.write(`${printable(`${imagePath}: indexed (${size} in ${indexPath})`)}\n`);
}

/** No index is kept of what was written a moment ago: it may be written to again unseen. */
async function untilSettled(source: StoredSource): Promise<void> {
  const wait = unsettledMs(source);
  if (wait > SETTLED_MS) {
    const text = `${source.name}: its time is in the future, so a change of it would not show; set it with touch`;
    throw new ImageBackupError("SYSTEM", text);
  }
  await Bun.sleep(wait);
}

function notKept(directory: string | null): ImageBackupError {
  const why =
    directory === null
      ? "there is no cache directory"
      : `${directory}: is not yours, or cannot be written`;
  return new ImageBackupError("SYSTEM", `${why}; say where to keep the index with --index-dir DIR`);
}
