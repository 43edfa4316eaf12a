import { ImageBackupError } from "../bytes/errors.ts";
import type { Messages } from "./messages.ts";

/** An error of the operating system, as node:fs throws it. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "code" in error;
}

/** The one line about a failure; `null` for what is no fault of the input's, but ours. */
export function failureLine(error: unknown): string | null {
  if (error instanceof ImageBackupError) return error.message;
  return isSystemError(error) ? error.message : null;
}

/**
 * A reader that has seen enough (`| head`) closes the pipe: that ends the command in silence. The
 * runtime throws some failed writes and emits others.
 */
export const isClosedOutput = (error: unknown): boolean =>
  isSystemError(error) && error.code === "EPIPE";

/** Ends the process where its results cannot be written; with no place for messages it goes on. */
export function watchOutput(messages: Messages, status: number): void {
  process.stdout.on("error", (error) => {
    if (!isClosedOutput(error)) messages.error(`standard output: ${error.message}`);
    process.exit(status);
  });
  process.stderr.on("error", () => {});
}
