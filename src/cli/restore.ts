import { setImmediate } from "node:timers/promises";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { grouped, humanSize } from "../bytes/sizes.ts";
import type { BackupImage } from "../image/backup-image.ts";
import { openImage } from "../open-image.ts";
import { findPieces } from "../source/find-pieces.ts";
import { STANDARD_INPUT } from "../source/pipe.ts";
import type { Messages } from "./messages.ts";
import { isSameFile, openTarget, type Target } from "./restore-target.ts";

export interface RestoreOptions {
  readonly imagePath: string;
  /** A file or a block device. */
  readonly target: string;
  readonly force: boolean;
  readonly discard: boolean;
  readonly quiet: boolean;
}

/** Blocks written at once: pwritev takes no more. */
const MOST_BLOCKS = 1024;
/** Bytes written at once. */
const MOST_BYTES = 4 * 2 ** 20;

/** SIGHUP is left as it is: who ignores it (nohup) has a listener's process ended by it. */
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * Writes the partition to a file or a device, and proves each checksum on the way. Throws with what
 * is written and what is not.
 */
export async function restoreImage(options: RestoreOptions, messages: Messages): Promise<void> {
  const { imagePath, target: path, force, discard, quiet } = options;
  await using image = await openImage(imagePath);
  if (filesOf(imagePath).some((file) => isSameFile(path, file))) {
    throw new ImageBackupError("SYSTEM", `${path}: is the image itself; choose another file`);
  }
  const size = image.totalSize;
  using target = openTarget(path, { size, force, discard });
  using _told = tellWhenInterrupted(() => messages.error(notRestored("interrupted", path, target)));
  const writer = new Writer(target);
  try {
    await image.blockReader({
      verifyCrc: true,
      progressBar: !quiet,
      onBlock: (deviceOffset, block) => writer.add(deviceOffset, block),
    });
    writer.flush();
    target.finish();
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    const text = notRestored(error.message, path, target);
    throw new ImageBackupError(error.code, text, error, { cause: error });
  }
  process.stdout.write(`${printable(restoredText(image, path, writer.bytes))}\n`);
}

/** The files that hold the image. */
function filesOf(imagePath: string): readonly string[] {
  if (imagePath === STANDARD_INPUT) return ["/proc/self/fd/0"];
  return findPieces(imagePath)?.files ?? [imagePath];
}

/** A signal still ends the process, when `tell` has said what it leaves behind. */
function tellWhenInterrupted(tell: () => void): Disposable {
  const onSignal = (signal: NodeJS.Signals) => {
    stop();
    // Off the line of the progress bar.
    if (process.stderr.isTTY) process.stderr.write("\n");
    tell();
    process.kill(process.pid, signal);
  };
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return { [Symbol.dispose]: stop };
}

/** Collects consecutive blocks, which are written together. */
class Writer {
  /** Bytes written in all. */
  bytes = 0;
  readonly #target: Target;
  #blocks: Uint8Array[] = [];
  #start = 0;
  #end = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  /** The promise, now and then: files are read without a pause, in which a signal would be heard. */
  add(deviceOffset: number, block: Uint8Array): void | Promise<void> {
    const isFull = this.#blocks.length === MOST_BLOCKS || this.#end - this.#start >= MOST_BYTES;
    if (deviceOffset !== this.#end || isFull) {
      this.flush();
      this.#start = deviceOffset;
    }
    this.#blocks.push(block);
    this.#end = deviceOffset + block.length;
    if (isFull) return setImmediate();
  }

  flush(): void {
    if (this.#blocks.length === 0) return;
    this.#target.write(this.#blocks, this.#start);
    this.bytes += this.#end - this.#start;
    this.#blocks = [];
  }
}

/** A damaged image and a full disk leave something behind, which must not pass for a partition. */
const notRestored = (why: string, path: string, { written }: Target): string =>
  `${why}; not restored: ${path} is incomplete, ${stateOf(written)}`;

function stateOf(written: number | null): string {
  if (written === null) return "how much of the partition has reached the disk is not known";
  if (written === 0) return "nothing of the partition is written";
  return `the partition is written up to byte ${grouped(written)}, nothing behind it`;
}

function restoredText(image: BackupImage, path: string, bytes: number): string {
  const amount = `${humanSize(bytes)} of ${humanSize(image.totalSize)} written`;
  return `${path}: the ${image.fsType} partition is restored (${amount})`;
}
