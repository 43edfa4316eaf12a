import type { Messages } from "./messages.ts";
import { mountedText } from "./mounted-text.ts";
import { runServer } from "./run-server.ts";

export interface MountOptions {
  readonly imagePath: string;
  readonly mountPoint: string;
  /** Show the partition's files instead of the partition. */
  readonly files: boolean;
  /** FUS-BACKUP-BOOT: show a copy of the boot sector of NTFS. */
  readonly backupBoot: boolean;
  /** Where the server says what goes wrong; the system's log by default. */
  readonly log?: string;
  /** Stay in the foreground; print a line for each request. */
  readonly debug: boolean;
  /** Prove each strip before it is first read. */
  readonly verify: boolean;
  readonly indexSize?: number;
  /** A directory of the user's own for what takes long to find out; null: it is found out again. */
  readonly indexDirectory: string | null;
}

/** What the command prints once the mount answers. */
export interface Mounted {
  /** The virtual partition's path; `null` where its files are shown. */
  readonly file: string | null;
  readonly mountPoint: string;
  readonly fsType: string;
  /** The backup of NTFS's boot sector is there. */
  readonly backupBoot: boolean;
  readonly deviceSize: number;
  /** False: other users, root included, cannot read the file. */
  readonly allowOther: boolean;
  readonly warnings: readonly string[];
}

/** Mounts the image. */
export async function mountImage(options: MountOptions, messages: Messages): Promise<void> {
  await runServer<Mounted>({ shows: "image", options }, messages, (told) => {
    for (const warning of told.warnings) messages.warn(`${options.imagePath}: ${warning}`);
    process.stdout.write(`${mountedText(told, process.geteuid?.() === 0)}\n`);
  });
}
