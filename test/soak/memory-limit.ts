import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A limit on the memory of what is started in it, page cache included. */
export interface MemoryLimit extends AsyncDisposable {
  /** How it is done, for the report. */
  readonly by: string;
  /** What a command line begins with to run under it. */
  readonly prefix: readonly string[];
  /** The most memory that was in use; null where nobody counts. */
  peak(): number | null;
}

const ROOT = "/sys/fs/cgroup";

interface Version {
  readonly by: string;
  readonly folder: string;
  readonly limit: string;
  readonly peak: string;
  isThere(): boolean;
}

const versions: readonly Version[] = [
  {
    by: "cgroup v2",
    folder: ROOT,
    limit: "memory.max",
    peak: "memory.peak",
    isThere() {
      const controllers = join(ROOT, "cgroup.subtree_control");
      return existsSync(controllers) && readFileSync(controllers, "utf8").includes("memory");
    },
  },
  {
    by: "cgroup v1",
    folder: join(ROOT, "memory"),
    limit: "memory.limit_in_bytes",
    peak: "memory.max_usage_in_bytes",
    isThere: () => existsSync(join(ROOT, "memory", "memory.limit_in_bytes")),
  },
];

const unlimited: MemoryLimit = {
  by: "none (no memory cgroup can be made here): its resident memory is looked at instead",
  prefix: [],
  peak: () => null,
  [Symbol.asyncDispose]: async () => {},
};

/** Removed when all that ran in it has ended. */
export function memoryLimit(bytes: number): MemoryLimit {
  const version = versions.find(({ isThere }) => isThere());
  if (version === undefined) return unlimited;
  const group = join(version.folder, `vpartclone-soak-${process.pid}-${Date.now()}`);
  try {
    mkdirSync(group);
    writeFileSync(join(group, version.limit), String(bytes));
  } catch {
    if (existsSync(group)) rmdirSync(group);
    return unlimited;
  }
  const enter = `echo $$ > '${join(group, "cgroup.procs")}' && exec "$@"`;
  return {
    by: version.by,
    prefix: ["sh", "-c", enter, "sh"],
    peak: () => Number(readFileSync(join(group, version.peak), "utf8")),
    async [Symbol.asyncDispose]() {
      // The guard of a mount outlives its server by a moment.
      for (let left = 100; left > 0; left--) {
        try {
          return rmdirSync(group);
        } catch {
          await Bun.sleep(50);
        }
      }
      rmdirSync(group);
    },
  };
}
