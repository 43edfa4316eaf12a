import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Root extends Disposable {
  readonly path: string;
  /** Runs a shell's script in it, as root, and in a mount namespace of its own: no mount can stay. */
  run(script: string): {
    readonly status: number | null;
    readonly out: string;
    readonly err: string;
  };
}

const OUTER = `mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$1" sh -eu -c "$2"`;
const TIMEOUT = 60_000;

/** A directory to become the root directory of what is run in it. */
export function newRoot(): Root {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-root-"));
  return {
    path,
    run(script) {
      const { exitCode, stdout, stderr } = Bun.spawnSync(
        ["unshare", "--mount", "sh", "-c", OUTER, "sh", path, script],
        {
          env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: "/tmp", LC_ALL: "C" },
          stderr: "pipe",
          timeout: TIMEOUT,
        },
      );
      return { status: exitCode, out: stdout.toString(), err: stderr.toString() };
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Runs a command that has to succeed; returns what it printed. */
export function must(cmd: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...cmd], { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${cmd.join(" ")}: ${exitCode}\n${stdout}${stderr}`);
  return stdout.toString();
}
