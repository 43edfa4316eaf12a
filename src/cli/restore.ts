import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { grouped, humanSize } from "../bytes/sizes.ts";
import type { BackupImage } from "../image/backup-image.ts";
import { openImage } from "../open-image.ts";
import { findPieces } from "../source/find-pieces.ts";
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

/**
 * Writes the partition to a file or a device, and proves each checksum on the way. Throws with what
 * is written and what is not.
 */
export async function restoreImage(options: RestoreOptions): Promise<void> {
  const { imagePath, target: path, force, discard, quiet } = options;
  await using image = await openImage(imagePath);
  const files = findPieces(imagePath)?.files ?? [imagePath];
  if (files.some((file) => isSameFile(path, file))) {
    throw new ImageBackupError("SYSTEM", `${path}: is the image itself; choose another file`);
  }
  const size = image.totalSize;
  using target = openTarget(path, { size, force, discard });
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
    throw failed(path, writer.written, error);
  }
  process.stdout.write(`${printable(restoredText(image, path, writer.bytes))}\n`);
}

/** Collects consecutive blocks, which are written together. */
class Writer {
  /** Byte of the partition before which all that the image has is written. */
  written = 0;
  /** Bytes written in all. */
  bytes = 0;
  readonly #target: Target;
  #blocks: Uint8Array[] = [];
  #start = 0;
  #end = 0;

  constructor(target: Target) {
    this.#target = target;
  }

  add(deviceOffset: number, block: Uint8Array): void {
    const isFull = this.#blocks.length === MOST_BLOCKS || this.#end - this.#start >= MOST_BYTES;
    if (deviceOffset !== this.#end || isFull) {
      this.flush();
      this.#start = deviceOffset;
    }
    this.#blocks.push(block);
    this.#end = deviceOffset + block.length;
  }

  flush(): void {
    if (this.#blocks.length === 0) return;
    this.#target.write(this.#blocks, this.#start);
    this.bytes += this.#end - this.#start;
    this.written = this.#end;
    this.#blocks = [];
  }
}

/** A damaged image and a full disk leave something behind, which must not pass for a partition. */
function failed(path: string, written: number, error: unknown): unknown {
  if (!(error instanceof ImageBackupError)) return error;
  const state =
    written === 0
      ? "nothing of the partition is written"
      : `the partition is written up to byte ${grouped(written)}, nothing behind it`;
  const text = `${error.message}; not restored: ${path} is incomplete, ${state}`;
  return new ImageBackupError(error.code, text, error, { cause: error });
}

function restoredText(image: BackupImage, path: string, bytes: number): string {
  const amount = `${humanSize(bytes)} of ${humanSize(image.totalSize)} written`;
  return `${path}: the ${image.fsType} partition is restored (${amount})`;
}
