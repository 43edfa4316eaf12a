import { ImageBackupError } from "../bytes/errors.ts";
import { recompress } from "../source/recompress.ts";
import type { ByteSource } from "../source/source.ts";
import { WrongChecksum } from "./malformed.ts";

/** The compressed bytes of `source` near byte `at` are not what `codec` says they must be. */
export function corrupt(
  { name }: ByteSource,
  codec: string,
  at: number,
  reason: string,
  options?: ErrorOptions,
): ImageBackupError {
  return new ImageBackupError(
    "CORRUPT",
    `${name}: the ${codec} data is damaged or incomplete near byte ${at} of the compressed file: ${reason}`,
    {},
    options,
  );
}

/** The data's own checksum before byte `at` is not that of what they give: nobody knows where. */
export function wrongChecksum(source: ByteSource, codec: string, at: number): ImageBackupError {
  const reason = "a checksum differs";
  return corrupt(source, codec, at, reason, { cause: new WrongChecksum(reason) });
}

/** Valid, and not to be read in any order here. */
export function beyondRandomAccess(
  { name }: ByteSource,
  codec: string,
  reason: string,
): ImageBackupError {
  const advice = `-c, -v and --restore read it as it is; to mount it: ${recompress(name, codec)}`;
  return new ImageBackupError("UNSUPPORTED", `${name}: ${reason}; ${advice}`);
}
