import type { ImageBackupError } from "../../bytes/errors.ts";
import { viewOf } from "../../bytes/view.ts";
import type { ByteStream } from "../source.ts";
import { damaged, ENDS_EARLY } from "./damaged.ts";

export async function isAtEnd(input: ByteStream): Promise<boolean> {
  return (await input.peek(new Uint8Array(1))) === 0;
}

/** The next bytes without moving on; the end of the input among them is an error. */
export async function peekExactly(
  input: ByteStream,
  codec: string,
  length: number,
): Promise<DataView> {
  const bytes = new Uint8Array(length);
  if ((await input.peek(bytes)) < length) throw truncated(input, codec);
  return viewOf(bytes);
}

/** The next bytes; the end of the input among them is an error. */
export async function readExactly(
  input: ByteStream,
  codec: string,
  length: number,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  if ((await input.read(bytes)) < length) throw truncated(input, codec);
  return bytes;
}

/** Zstandard and LZ4 share frames that carry nothing of the data: a magic number and a length. */
export async function skipFrame(input: ByteStream, codec: string): Promise<void> {
  const length = viewOf(await readExactly(input, codec, 8)).getUint32(4, true);
  if ((await input.skip(length)) < length) throw truncated(input, codec);
}

/** RFC 8878, 3.1.2: sixteen magic numbers, 0x184D2A50 to 0x184D2A5F. */
export function isSkippable(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}

export function truncated(input: ByteStream, codec: string): ImageBackupError {
  return damaged(input, codec, ENDS_EARLY);
}
