import { ImageBackupError } from "../../bytes/errors.ts";
import type { ByteStream } from "../source.ts";

/** The compressed bytes `input` are not what `codec` says they must be. */
export function damaged(
  input: ByteStream,
  codec: string,
  reason: string,
  options?: ErrorOptions,
): ImageBackupError {
  const place = `near byte ${input.position} of the compressed file`;
  return new ImageBackupError(
    "CORRUPT",
    `${input.name}: the ${codec} data is damaged or incomplete ${place}: ${reason}`,
    {},
    options,
  );
}
