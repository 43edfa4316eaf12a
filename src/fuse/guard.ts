import { closeSync, writeSync } from "node:fs";
import { pipe } from "./libc.ts";
import type { MountEntry } from "./mount-table.ts";

/**
 * FUS-GUARD: waits for the server's end, and takes away what a killed server leaves: its mount,
 * which answers everything with ENOTCONN (ECONNABORTED while it dies). Listing is the only proof:
 * stat answers from cached attributes.
 *
 * FUS-FILES-KILLED: what was mounted on top of it goes first. That may be listed from caches for
 * long, so it is known by the line that mountinfo has for it.
 */
const SCRIPT = `
shown=
while read -r word line <&3; do
  case $word in
    ended) exit 0 ;;
    shown) shown=$line ;;
  esac
done
exec 3<&-
if [ -n "$shown" ] && grep -q "^$shown " /proc/self/mountinfo; then
  umount -l -- "$2" 2>/dev/null || fusermount3 -u -z -- "$2"
fi
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  why=$(LC_ALL=C ls -- "$1" 2>&1 >/dev/null) && exit 0
  case $why in
    *"not connected"*|*"onnection abort"*)
      umount -l -- "$1" 2>/dev/null || fusermount3 -u -z -- "$1" && exit 0 ;;
    *"No such file"*) exit 0 ;;
  esac
  sleep 0.1
done`;

export interface Guard {
  readonly pid: number;
  /** This was mounted on top, at `shownAt`, and is to be taken away, too. */
  shows(mount: MountEntry): void;
  /** Was it? */
  readonly isShowing: boolean;
  /** The mount has ended in order: the guard ends without a look at it. */
  dismiss(): void;
}

/** Starts the guard of a mount; it holds nothing of ours but one end of a pipe. */
export function startGuard(mountPoint: string, shownAt?: string): Guard {
  const { first, second } = pipe();
  const child = Bun.spawn({
    cmd: ["/bin/sh", "-c", SCRIPT, "sh", mountPoint, ...(shownAt ? [shownAt] : [])],
    cwd: "/",
    detached: true,
    stdio: ["ignore", "ignore", "ignore", first],
  });
  child.unref();
  closeSync(first);
  let isShowing = false;
  const tell = (line: string) => {
    try {
      writeSync(second, `${line}\n`);
    } catch {
      // It was killed, which must not keep the mount from its end: the next start sees to the rest.
    }
  };
  return {
    pid: child.pid,
    shows({ identity }) {
      tell(`shown ${identity}`);
      isShowing = true;
    },
    get isShowing() {
      return isShowing;
    },
    dismiss: () => {
      tell("ended");
      closeSync(second);
    },
  };
}
