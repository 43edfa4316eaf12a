import { printable } from "../bytes/printable.ts";
import { fullSize } from "../bytes/sizes.ts";
import { unmountCommand } from "../fuse/mount-point.ts";
import type { Messages } from "./messages.ts";
import { runServer } from "./run-server.ts";

export interface FolderMountOptions {
  readonly folderPath: string;
  readonly mountPoint: string;
  /** Where the server says what goes wrong; the system's log by default. */
  readonly log?: string;
  /** Stay in the foreground; print a line for each request. */
  readonly debug: boolean;
  /** Prove each strip before it is first read. */
  readonly verify: boolean;
  /** A directory of the user's own for what takes long to find out; null: it is found out again. */
  readonly indexDirectory: string | null;
}

/** What the command prints once the mount answers. */
export interface FolderMounted {
  readonly mountPoint: string;
  readonly files: readonly MountedFile[];
  /** What of the folder is not in the mount, and why: a line each. */
  readonly missing: readonly string[];
}

export interface MountedFile {
  readonly path: string;
  readonly what: string;
  readonly size: number;
}

/** Mounts the folder. */
export async function mountFolder(options: FolderMountOptions, messages: Messages): Promise<void> {
  await runServer<FolderMounted>({ shows: "folder", options }, messages, (told) => {
    for (const line of told.missing) messages.warn(line);
    process.stdout.write(`${mountedText(told)}\n`);
  });
}

function mountedText({ mountPoint, files }: FolderMounted): string {
  return [
    ...files.map(({ path, what, size }) => `${path}: ${what}, ${fullSize(size)}, read-only`),
    `  end it:     ${unmountCommand(mountPoint)}`,
  ]
    .map(printable)
    .join("\n");
}
