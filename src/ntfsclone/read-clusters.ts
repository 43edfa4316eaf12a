import { decode } from "../bytes/struct.ts";
import type { BlockReaderOptions } from "../image/backup-image.ts";
import { BlockIO } from "../image/block-io.ts";
import type { Progress } from "../image/progress.ts";
import type { ByteStream } from "../source/source.ts";
import type { NtfscloneImage } from "./image.ts";
import {
  commands,
  DATA_OFFSET_AT,
  HEADER_BYTES,
  headerLayout,
  MAJOR_VERSION,
  OLD_HEADER_BYTES,
} from "./layout.ts";

/** Bytes read at once. */
const PIECE = 2 ** 20;

/** Reads every stored cluster in ascending order, whatever order the image has them in. */
export async function readIndexed(
  image: NtfscloneImage,
  { onBlock }: BlockReaderOptions,
  progress: Progress,
): Promise<void> {
  const { starts, counts } = image.parts.extents;
  const { blockSize, deviceSize } = image;
  const io = new BlockIO(image);
  const most = Math.max(1, Math.floor(PIECE / blockSize));
  let done = 0;
  for (const [extent, start] of starts.entries()) {
    const end = start + (counts[extent] ?? 0);
    for (let cluster = start; cluster < end; cluster += most) {
      const length = Math.min(most, end - cluster) * blockSize;
      const piece = new Uint8Array(Math.max(0, Math.min(length, deviceSize - cluster * blockSize)));
      await io.read(piece, cluster * blockSize);
      for (let at = 0; at < piece.length; at += blockSize) {
        const pending = onBlock(cluster * blockSize + at, piece.subarray(at, at + blockSize));
        if (pending) await pending;
      }
      done += length;
      progress.update(done);
    }
  }
}

/**
 * Does the image store another cluster first than 0? A full image begins with the boot sector's
 * cluster, a metadata image with $MFT (NTC-DATA-COMPLETE). Nothing is read.
 */
export async function isMetadata(stream: ByteStream): Promise<boolean> {
  const head = new Uint8Array(HEADER_BYTES);
  if ((await stream.peek(head)) < OLD_HEADER_BYTES) return false;
  const { majorVersion } = decode(headerLayout, head, true);
  const isOld = majorVersion < MAJOR_VERSION;
  const at = isOld ? OLD_HEADER_BYTES : new DataView(head.buffer).getUint32(DATA_OFFSET_AT, true);
  // A header far longer than any known is not worth the memory; its rules refuse it later.
  if (at > PIECE) return false;
  const front = new Uint8Array(at + 1);
  return (await stream.peek(front)) > at && front[at] !== commands.cluster;
}
