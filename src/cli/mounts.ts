import { readdirSync, readFileSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { clearDead, liveRecords, type MountRecord, startOf } from "../files/records.ts";
import { unmountFrom } from "../fuse/mount.ts";
import { canonicalMountPoint, codeOf, MOUNT_TYPE } from "../fuse/mount-point.ts";
import { mountAt, mountTable } from "../fuse/mount-table.ts";

type Row = readonly [directory: string, shows: string, process: string, image: string];
const HEADER: Row = ["DIRECTORY", "SHOWS", "PROCESS", "IMAGE"];

/** Prints which images are mounted where, and by which process: one a line. */
export function printMounts(): void {
  clearDead();
  const rows = [HEADER, ...recorded(), ...unrecorded()].map((row) => row.map(printable));
  const widths = HEADER.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  for (const row of rows) {
    const cells = row.map((cell, column) => cell.padEnd(widths[column] ?? 0));
    process.stdout.write(`${cells.join("  ").trimEnd()}\n`);
  }
}

const recorded = (): Row[] =>
  liveRecords().map(({ directory, shows, pid, image }) => [directory, shows, String(pid), image]);

/** Those of other users, whose records are not ours to read. */
function unrecorded(): Row[] {
  const known = new Set(liveRecords().flatMap(({ directory, hidden }) => [directory, hidden]));
  return mountTable()
    .filter(({ type, mountPoint }) => type === MOUNT_TYPE && !known.has(mountPoint))
    .map(({ mountPoint, source }) => [mountPoint, "partition", "-", source]);
}

const PATIENCE_MS = 10_000;
const INTERVAL_MS = 20;
const NOTHING = "no image is mounted there; --mounts lists those that are";

const problem = (text: string): ImageBackupError => new ImageBackupError("SYSTEM", text);

/** Unmounts what is mounted on a directory, and returns when its server has ended. */
export async function unmount(path: string): Promise<void> {
  const directory = directoryOf(path);
  const before = mountAt(directory);
  clearDead();
  if (before !== null && mountAt(directory) === null) return;
  const record = liveRecords().find((each) => each.directory === directory);
  if (before === null || (!record && before.type !== MOUNT_TYPE)) {
    throw problem(`${path}: ${NOTHING}`);
  }
  if (unmountFrom(directory) === "busy") {
    throw problem(`${path} is in use${usersOf(directory)}: end what uses it first`);
  }
  // Of another's mount fusermount3 says what it says where nothing is mounted.
  if (mountAt(directory)?.identity === before.identity) {
    throw problem(`${path} is mounted by somebody else: end it as that user, or as root`);
  }
  if (record) await endOf(record, path);
}

function directoryOf(path: string): string {
  try {
    return canonicalMountPoint(path);
  } catch (error) {
    // It would say: create it first.
    const isMissing = error instanceof ImageBackupError && codeOf(error.cause) === "ENOENT";
    throw isMissing ? problem(`${path}: ${NOTHING}`) : error;
  }
}

/** What is known to use it: loop devices that somebody set up on the partition. */
function usersOf(directory: string): string {
  const devices = readdirSync("/sys/block").filter((name) =>
    backingFile(name)?.startsWith(`${directory}/`),
  );
  return devices.length === 0 ? "" : ` by ${devices.map((name) => `/dev/${name}`).join(", ")}`;
}

function backingFile(device: string): string | null {
  try {
    return readFileSync(`/sys/block/${device}/loop/backing_file`, "utf8");
  } catch {
    return null; // No loop device, or a free one.
  }
}

async function endOf({ pid, started }: MountRecord, path: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (startOf(pid) === started) {
    if (performance.now() > deadline) {
      throw problem(`${path} is unmounted, but process ${pid}, which served it, goes on`);
    }
    await Bun.sleep(INTERVAL_MS);
  }
}
