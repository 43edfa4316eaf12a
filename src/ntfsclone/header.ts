import { ImageBackupError } from "../bytes/errors.ts";
import { type Decoded, decode } from "../bytes/struct.ts";
import type { ByteStream } from "../source/source.ts";
import { isClusterSize } from "./header-rules.ts";
import {
  DATA_OFFSET_AT,
  HEADER_BYTES,
  type Header,
  headerLayout,
  MAGIC,
  MAJOR_VERSION,
  OLD_HEADER_BYTES,
} from "./layout.ts";

type Fields = Decoded<typeof headerLayout>;

/** Reads the header as the file has it; the stream is left after its fields. */
export async function readHeader(stream: ByteStream): Promise<Header> {
  const head = new Uint8Array(HEADER_BYTES);
  const got = await stream.peek(head);
  if (String.fromCharCode(...head.subarray(0, MAGIC.length)) !== MAGIC) {
    throw new ImageBackupError("NOT_AN_IMAGE", `${stream.name}: not an ntfsclone image`, {
      imageOffset: 0,
    });
  }
  const isOld = (head[headerLayout.majorVersion.at] ?? 0) < MAJOR_VERSION;
  const size = isOld ? OLD_HEADER_BYTES : HEADER_BYTES;
  if (got < size) {
    throw new ImageBackupError(
      "CORRUPT",
      `${stream.name}: the image ends after ${got} bytes, within its header (NTC-HEADER-COMPLETE)`,
      { imageOffset: got, rule: "NTC-HEADER-COMPLETE" },
    );
  }
  await stream.skip(size);
  if (isOld) return { ...oldFields(head), dataOffset: OLD_HEADER_BYTES };
  const dataOffset = new DataView(head.buffer).getUint32(DATA_OFFSET_AT, true);
  return { ...decode(headerLayout, head, true), littleEndian: true, dataOffset };
}

/**
 * Before major version 10 the integers are in the writer's order and nothing says which: it is
 * the one in which the cluster size is one, and the clusters fit the device (NTC-MAJOR).
 */
function oldFields(head: Uint8Array): Fields & { littleEndian: boolean } {
  const little = decode(headerLayout, head, true);
  const big = decode(headerLayout, head, false);
  return !isPlausible(little) && isPlausible(big)
    ? { ...big, littleEndian: false }
    : { ...little, littleEndian: true };
}

function isPlausible({ clusterSize, clusterCount, deviceSize }: Fields): boolean {
  return (
    isClusterSize(clusterSize) &&
    clusterCount > 0n &&
    clusterCount * BigInt(clusterSize) <= deviceSize
  );
}
