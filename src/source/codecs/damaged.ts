import { ImageBackupError } from "../../bytes/errors.ts";
import type { ByteStream } from "../source.ts";

/** A reason: what the codec needs next is not there. */
export const ENDS_EARLY = "the file ends early";

/** The compressed bytes `input` are not what `codec` says they must be. */
export function damaged(
  input: ByteStream,
  codec: string,
  reason: string,
  options?: ErrorOptions,
): ImageBackupError {
  const place = `near byte ${input.position} of the compressed file`;
  const ending = reason === ENDS_EARLY && input.ending ? `; ${input.ending}` : "";
  return new ImageBackupError(
    "CORRUPT",
    `${input.name}: the ${codec} data is damaged or incomplete ${place}: ${reason}${ending}`,
    {},
    options,
  );
}

/** The cause of an error: something that was decoded before this place is wrong. */
export class ContentChecksumDiffers extends Error {}

/** The data's own checksum is not that of what they gave. */
export function badContent(
  input: ByteStream,
  codec: string,
  reason = "a checksum differs",
): ImageBackupError {
  return damaged(input, codec, reason, { cause: new ContentChecksumDiffers(reason) });
}

/** Valid, and not to be decompressed here; `command` can. */
export function beyondUs(input: ByteStream, reason: string, command: string): ImageBackupError {
  const source = input.name === "-" ? "" : ` ${input.name}`;
  return new ImageBackupError(
    "UNSUPPORTED",
    `${input.name}: ${reason}; use: ${command}${source} | vpartclone -c -`,
  );
}
