import { join, resolve } from "node:path";
import { mountForFiles } from "../files/files-mount.ts";
import {
  clearDead,
  type MountRecord,
  removeRecord,
  requireStateDirectory,
  stateDirectory,
  writeRecord,
} from "../files/records.ts";
import type { Guard } from "../fuse/guard.ts";
import { type Mount, mountFuse } from "../fuse/mount.ts";
import { mountAt } from "../fuse/mount-table.ts";
import type { ImageStatus } from "../fuse/partition-file.ts";
import type { MountOptions } from "./mount.ts";

/** A mount of an image, and what becomes of it in the directory that was asked for. */
export interface MountPlace extends Disposable {
  readonly mount: Mount;
  /** Where something is mounted on top of it, if so. */
  readonly shownAt?: string;
  /** The mount answers: shows what is to be seen. The partition's path, `null` if it is not that. */
  ready(guard: Guard): Promise<string | null>;
  /** The mount has ended: what there is to say about it, if anything. */
  ended(): string | null;
}

/** What is asked for. */
type PlaceOptions = Pick<MountOptions, "imagePath" | "mountPoint" | "files"> & {
  /** Many partitions, of the images in a folder. */
  readonly isFolder?: boolean;
};

/** What is mounted. */
export interface Mountable {
  readonly fileName: string;
  readonly fsType: string;
  readonly status: ImageStatus;
}

/** Mounts for an image: for its partition, or for the files in it. Throws SYSTEM with what to do. */
export function mountPlace(options: PlaceOptions, what: Mountable): MountPlace {
  clearDead();
  return options.files ? filesPlace(options, what) : partitionPlace(options, what);
}

function partitionPlace(options: PlaceOptions, { fileName }: Mountable): MountPlace {
  const image = resolve(options.imagePath);
  const mount = mountFuse({ mountPoint: options.mountPoint, source: image });
  const { mountPoint: directory } = mount;
  const shows = options.isFolder ? "folder" : "partition";
  const state = stateDirectory();
  return {
    mount,
    async ready() {
      const identity = mountAt(directory)?.identity ?? null;
      if (state !== null) record(state, { image, directory, shows, mount: identity, hidden: null });
      return join(directory, fileName);
    },
    ended: () => null,
    [Symbol.dispose]: () => state !== null && removeRecord(state),
  };
}

/** A partition can be mounted without its record: it is only not told of. */
function record(state: string, mount: Parameters<typeof writeRecord>[1]): void {
  try {
    writeRecord(state, mount);
  } catch {
    // The disk is full, or the like.
  }
}

/** No record stays of what could not be mounted. */
function recorded<T>(state: string, mount: () => T): T {
  try {
    return mount();
  } catch (error) {
    removeRecord(state);
    throw error;
  }
}

function filesPlace(options: PlaceOptions, what: Mountable): MountPlace {
  const image = resolve(options.imagePath);
  const state = requireStateDirectory();
  const base = { image, shows: "files" } as const satisfies Partial<MountRecord>;
  const mount = recorded(state, () =>
    mountForFiles({
      directory: options.mountPoint,
      source: image,
      place: state,
      onPlaced: (where) => writeRecord(state, { ...base, ...where, mount: null }),
    }),
  );
  const { directory } = mount;
  const { fsType, status } = what;
  const owner = { uid: Number(status.uid), gid: Number(status.gid), mode: Number(status.mode) };
  return {
    mount,
    shownAt: directory,
    async ready(guard) {
      const shown = await mount.show(what.fileName, { fsType, owner }, guard);
      writeRecord(state, { ...base, directory, mount: shown.identity, hidden: null });
      return null;
    },
    ended: () =>
      mount.end() ? null : `the driver that showed the files of ${image} in ${directory} has died`,
    [Symbol.dispose]() {
      mount[Symbol.dispose]();
      removeRecord(state);
    },
  };
}
