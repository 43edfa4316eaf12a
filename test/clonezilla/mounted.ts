import { mountAt } from "../../src/fuse/mount-table.ts";
import { serversOf } from "../cli/mounted.ts";
import { runCommand, scriptOf } from "../cli/program.ts";
import { mountDirectory, ROOT, run, until } from "../fuse/harness.ts";

/** A mounted folder, until it is disposed of: then neither mount nor process is left. */
export interface MountedFolder extends AsyncDisposable {
  readonly path: string;
  readonly out: string;
  readonly err: string;
}

export function mountFolder(folder: string, ...options: readonly string[]): MountedFolder {
  const point = mountDirectory(ROOT);
  const args = [folder, "-m", point.path, "--no-index-cache", ...options];
  const { status, out, err } = runCommand([process.execPath, scriptOf("vclonezilla"), ...args]);
  if (status !== 0) {
    point[Symbol.dispose]();
    throw new Error(`vclonezilla ${args.join(" ")}: status ${status}\n${err}`);
  }
  return {
    ...{ path: point.path, out, err },
    async [Symbol.asyncDispose]() {
      try {
        await until(
          () => mountAt(point.path) === null || run(ROOT, "umount", point.path).code === 0,
        );
        await until(() => serversOf(point.path).length === 0);
      } finally {
        point[Symbol.dispose]();
      }
    },
  };
}
