import { closeSync, writeSync } from "node:fs";
import { pipe } from "./libc.ts";

/**
 * FUS-GUARD: waits for the server's end, and takes away what a killed server leaves: its mount,
 * which answers everything with ENOTCONN (ECONNABORTED while it dies). Listing is the only proof:
 * stat answers from cached attributes.
 */
const SCRIPT = `
read -r word <&3
[ "$word" = ended ] && exit 0
exec 3<&-
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  why=$(LC_ALL=C ls -- "$1" 2>&1 >/dev/null) && exit 0
  case $why in
    *"not connected"*|*"onnection abort"*)
      umount -l -- "$1" 2>/dev/null || fusermount3 -u -z -- "$1" && exit 0 ;;
  esac
  sleep 0.1
done`;

export interface Guard {
  readonly pid: number;
  /** The mount has ended in order: the guard ends without a look at it. */
  dismiss(): void;
}

/** Starts the guard of a mount; it holds nothing of ours but one end of a pipe. */
export function startGuard(mountPoint: string): Guard {
  const { first, second } = pipe();
  const child = Bun.spawn({
    cmd: ["/bin/sh", "-c", SCRIPT, "sh", mountPoint],
    cwd: "/",
    detached: true,
    stdio: ["ignore", "ignore", "ignore", first],
  });
  child.unref();
  closeSync(first);
  return {
    pid: child.pid,
    dismiss: () => {
      writeSync(second, "ended\n");
      closeSync(second);
    },
  };
}
