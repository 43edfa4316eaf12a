import { printable } from "../bytes/printable.ts";

const PROGRAM = "logger";
/** In the form that every logger knows, where not each can tell the sender's id by itself. */
export const TAG = `vpartclone[${process.pid}]`;

/**
 * Says a line in the system's log, where a server in the background is heard. By a program,
 * as a message may go to journald, to a daemon's socket, or nowhere, as the system likes.
 */
export function systemLog(line: string): void {
  const program = Bun.which(PROGRAM);
  if (program === null) return;
  const child = Bun.spawn({
    cmd: [program, "-t", TAG, "-p", "user.err", "--", printable(line)],
    stdio: ["ignore", "ignore", "ignore"],
  });
  child.unref();
}
