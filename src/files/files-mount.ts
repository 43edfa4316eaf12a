import { mkdtempSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import type { Guard } from "../fuse/guard.ts";
import { detachFrom, type Mount, mountFuse } from "../fuse/mount.ts";
import { usableMountPoint } from "../fuse/mount-point.ts";
import { type MountEntry, mountAt, mountTable } from "../fuse/mount-table.ts";
import { watchEnd } from "./driver-process.ts";
import { mounter, type Shown, type ShowTask } from "./mounter.ts";

/** A mount of a partition that nobody sees, and of its files in a directory. */
export interface FilesMount extends Mount, Disposable {
  /** Where the files are shown: absolute, without symbolic links. */
  readonly directory: string;
  /** Where the partition is, until its files are shown. */
  readonly hidden: string;
  /** Mounts the file system in the partition, `name` in `hidden`, and takes that out of sight. */
  show(name: string, what: Showing, guard: Guard): Promise<MountEntry>;
  /** The partition's mount has ended; false: the driver died, and its mount had to be taken away. */
  end(): boolean;
}

const isThere = (wanted: MountEntry): boolean =>
  mountTable().some(
    ({ identity, mountPoint }) => identity === wanted.identity && mountPoint === wanted.mountPoint,
  );

function removeDirectory(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Still mounted: the next start clears it.
  }
}

type Showing = Pick<ShowTask, "fsType" | "owner">;

/** FUS-FILES-KILLED: where that fails, what is mounted there all the same is taken away. */
async function showOn(directory: string, partition: string, what: Showing): Promise<Shown> {
  try {
    return await mounter.show({ ...what, partition, directory });
  } catch (error) {
    if (mountAt(directory) !== null) await mounter.detach(directory).catch(() => {});
    throw error;
  }
}

/**
 * FUS-FILES-ONE-UMOUNT: mounts the partition in a directory of its own under `place`. Once the file
 * system's driver has it open, that mount is detached, and lives as long as it is open: unmounting
 * the files ends it, and with it the server.
 */
export function mountForFiles(request: {
  readonly directory: string;
  readonly source: string;
  readonly place: string;
  /** Called before anything is mounted. */
  readonly onPlaced: (where: { readonly directory: string; readonly hidden: string }) => void;
}): FilesMount {
  const directory = usableMountPoint(request.directory);
  const hidden = mkdtempSync(join(request.place, "partition-"));
  let partition: Mount;
  try {
    request.onPlaced({ directory, hidden });
    partition = mountFuse({ mountPoint: hidden, source: request.source });
  } catch (error) {
    rmdirSync(hidden);
    throw error;
  }
  let shown: MountEntry | null = null;
  let unwatch = () => {};
  let hasDied = false;
  const driverDied = () => {
    hasDied = true;
    // Whoever unmounted it already was faster.
    mounter.detach(directory).catch(() => {});
  };
  return {
    fd: partition.fd,
    allowOther: partition.allowOther,
    directory,
    hidden,
    get mountPoint() {
      return shown === null ? hidden : directory;
    },
    unmount: () => (shown === null ? partition.unmount() : mounter.unmount(directory)),
    detach: async () => {
      await (shown === null ? partition.detach() : mounter.detach(directory));
    },
    async show(name, what, guard) {
      const { mount, driver } = await showOn(directory, join(hidden, name), what);
      shown = mount;
      if (driver !== null) unwatch = watchEnd(driver, driverDied);
      guard.shows(shown);
      await partition.detach();
      rmdirSync(hidden);
      return shown;
    },
    end() {
      if (hasDied) return false;
      if (shown === null || !isThere(shown)) return true;
      detachFrom(directory);
      return false;
    },
    [Symbol.dispose]() {
      unwatch();
      if (shown === null) removeDirectory(hidden);
    },
  };
}
