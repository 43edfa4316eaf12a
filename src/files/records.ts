import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { isAbsolute, join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { detachFrom } from "../fuse/mount.ts";
import { mountTable } from "../fuse/mount-table.ts";

/** What a server writes down of its mount, for `--mounts`, and for whoever clears up after it. */
export interface MountRecord {
  readonly pid: number;
  /** When the process was started, in clock ticks since the system was: its number is used again. */
  readonly started: string;
  readonly image: string;
  /** Where it is mounted, absolute, without symbolic links. */
  readonly directory: string;
  readonly shows: "partition" | "files" | "folder";
  /** The mount's identity in mountinfo, once it is there. */
  readonly mount: string | null;
  /** Where the partition is mounted before its files are shown. */
  readonly hidden: string | null;
}

const OWNER_ONLY = 0o700;
const OTHERS = 0o077;
const NAME = "vpartclone";

/** Where records may be: the first that is, or can be made, is written to. */
function candidates(): string[] {
  const uid = process.geteuid?.() ?? 0;
  if (uid === 0) return [join("/run", NAME)];
  const { XDG_RUNTIME_DIR: runtime = "" } = process.env;
  const own = join(tmpdir(), `${NAME}-${uid}`);
  return isAbsolute(runtime) ? [join(runtime, NAME), own] : [own];
}

/** FUS-FILES-RECORD: nobody else's, and nobody else may look into it. */
function isPrivate(path: string): boolean {
  try {
    const status = lstatSync(path);
    return (
      status.isDirectory() && status.uid === process.geteuid?.() && (status.mode & OTHERS) === 0
    );
  } catch {
    return false;
  }
}

/** The directory for records and hidden mounts, made if need be; `null` where none can be had. */
export function stateDirectory(): string | null {
  for (const path of candidates()) {
    try {
      mkdirSync(path, { mode: OWNER_ONLY });
    } catch {
      // It is there already, or cannot be made: seen next.
    }
    if (isPrivate(path)) return path;
  }
  return null;
}

/** As `stateDirectory`. Throws SYSTEM. */
export function requireStateDirectory(): string {
  const place = stateDirectory();
  if (place !== null) return place;
  const [first] = candidates();
  throw new ImageBackupError(
    "SYSTEM",
    `${first}: a directory that only you can enter is needed here, and it cannot be made, or is somebody else's`,
  );
}

/** The start time of a process; `null` where there is none, or one that has ended. */
export function startOf(pid: number): string | null {
  try {
    const [state, ...fields] =
      readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? [];
    return state === "Z" || state === "X" ? null : (fields[18] ?? null);
  } catch {
    return null;
  }
}

const pathOf = (place: string, pid: number): string => join(place, `${pid}.json`);

/** Writes this process's record, in place of an earlier one. */
export function writeRecord(place: string, mount: Omit<MountRecord, "pid" | "started">): void {
  const { pid } = process;
  const record: MountRecord = { pid, started: startOf(pid) ?? "", ...mount };
  const fresh = `${pathOf(place, pid)}.new`;
  writeFileSync(fresh, JSON.stringify(record), { mode: 0o600 });
  renameSync(fresh, pathOf(place, pid));
}

export function removeRecord(place: string): void {
  rmSync(pathOf(place, process.pid), { force: true });
}

interface Found {
  readonly path: string;
  readonly record: MountRecord;
}

function recordsIn(place: string): Found[] {
  if (!isPrivate(place)) return [];
  return readdirSync(place)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => {
      const path = join(place, name);
      try {
        return [{ path, record: JSON.parse(readFileSync(path, "utf8")) as MountRecord }];
      } catch {
        return []; // Its server removed it just now.
      }
    });
}

const isAlive = ({ pid, started }: MountRecord): boolean => startOf(pid) === started;

/** The mounts of this user whose servers live. */
export const liveRecords = (places = candidates()): MountRecord[] =>
  places
    .flatMap(recordsIn)
    .map(({ record }) => record)
    .filter(isAlive);

/** FUS-FILES-KILLED: takes away what servers left that were killed together with their guards. */
export function clearDead(places = candidates()): void {
  for (const { path, record } of places.flatMap(recordsIn)) {
    if (isAlive(record)) continue;
    clear(record);
    rmSync(path, { force: true });
  }
}

function clear({ mount, directory, hidden }: MountRecord): void {
  const table = mountTable();
  const isLeft = table.some((entry) => entry.identity === mount && entry.mountPoint === directory);
  if (isLeft) attempt(() => detachFrom(directory));
  if (hidden === null) return;
  if (table.some(({ mountPoint }) => mountPoint === hidden)) attempt(() => detachFrom(hidden));
  attempt(() => rmdirSync(hidden));
}

/** The guard may be at it, too. */
function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Done already.
  }
}
