import { ImageBackupError } from "../bytes/errors.ts";
import { programPath } from "./drivers.ts";
import { type FileSystem, knownFileSystem } from "./file-systems.ts";

/** A file system and its name. */
export interface Recognized {
  readonly name: string;
  readonly fileSystem: FileSystem;
}

const problem = (text: string): ImageBackupError => new ImageBackupError("SYSTEM", text);

/**
 * The file system that the image names, or, where it names none that we know (`raw`), the one that
 * blkid finds in the partition: its names are those of the kernel's drivers.
 */
export function recognize(fsType: string, partition: string): Recognized {
  const named = knownFileSystem(fsType);
  if (named !== null) return { name: fsType, fileSystem: named };
  const blkid = programPath("blkid");
  if (blkid === null) {
    throw problem(
      `the image calls its file system '${fsType}', and there is no blkid to find out more; install the package util-linux`,
    );
  }
  const { stdout } = Bun.spawnSync([blkid, "--probe", "--output", "export", "--", partition]);
  return recognizedIn(stdout.toString(), fsType);
}

/** What blkid prints: `TYPE=jfs`, `USAGE=filesystem`, and more lines of that kind. */
export function recognizedIn(found: string, fsType: string): Recognized {
  const field = (key: string) => new RegExp(`^${key}=(.*)$`, "m").exec(found)?.[1];
  const name = field("TYPE");
  if (name === undefined) throw problem(`no file system is found in the partition (${fsType})`);
  if (field("USAGE") !== "filesystem")
    throw problem(`the partition holds ${name}, which has no files to show`);
  return { name, fileSystem: knownFileSystem(name) ?? plain(name) };
}

/** One that we know nothing about but its driver's name. */
const plain = (driver: string): FileSystem => ({
  names: [driver],
  check: null,
  kernel: [{ driver, options: [] }],
  fuse: null,
  guest: null,
  alone: null,
});
