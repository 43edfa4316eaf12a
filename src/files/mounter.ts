import { ImageBackupError } from "../bytes/errors.ts";
import { ownCommand } from "../fuse/background.ts";
import type { Unmounted } from "../fuse/mount.ts";
import type { MountEntry } from "../fuse/mount-table.ts";
import type { DriverProcess } from "./driver-process.ts";
import type { Owner } from "./ways.ts";

/** What a mounter does, and what it answers. */
export interface Mounter {
  show(task: ShowTask): Promise<Shown>;
  unmount(directory: string): Promise<Unmounted>;
  detach(directory: string): Promise<null>;
}

/** What shows the files. */
export interface Shown {
  readonly mount: MountEntry;
  /** Its process, where the mount's end would not tell of that one's. */
  readonly driver: DriverProcess | null;
}

export interface ShowTask {
  /** The file system as the image names it. */
  readonly fsType: string;
  /** The image's owner and permissions. */
  readonly owner: Owner;
  /** The file that is the partition. */
  readonly partition: string;
  readonly directory: string;
}

/** One call of a mounter, as its process is given it. */
export type Call = {
  readonly [Name in keyof Mounter]: {
    readonly name: Name;
    readonly argument: Parameters<Mounter[Name]>[0];
  };
}[keyof Mounter];

/** And what it prints. */
export type Answer = { readonly result: unknown } | { readonly error: string };

/** Set in a mounter's environment. */
const VARIABLE = "VPARTCLONE_MOUNTER";

/**
 * Mounts and unmounts file systems that read from this process's own mount, in processes of their
 * own. Such a call waits for answers of this process: a thread of its own could not be killed while
 * it waits, nor could then the process, as the thread holds /dev/fuse open (FUS-FILES-KILLED).
 */
export const mounter: Mounter = {
  show: (argument) => ask({ name: "show", argument }),
  unmount: (argument) => ask({ name: "unmount", argument }),
  detach: (argument) => ask({ name: "detach", argument }),
};

async function ask<Result>(call: Call): Promise<Result> {
  const { cmd, ...name } = ownCommand();
  const child = Bun.spawn({
    cmd: [...cmd],
    ...name,
    cwd: "/",
    env: { ...process.env, [VARIABLE]: JSON.stringify(call) },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const said = await child.stdout.text();
  if (said === "") {
    await endGroup(child.pid);
    throw problem("the process that mounts died");
  }
  const answer = JSON.parse(said) as Answer;
  if ("error" in answer) throw problem(answer.error);
  return answer.result as Result;
}

const PATIENCE_MS = 1000;
const INTERVAL_MS = 10;

/** FUS-FILES-KILLED: a driver that a killed mounter has started would mount all the same. */
async function endGroup(leader: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (isKilled(-leader) && performance.now() < deadline) await Bun.sleep(INTERVAL_MS);
}

/** False: there is nothing any more. */
function isKilled(pid: number): boolean {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false;
  }
}

const problem = (text: string): ImageBackupError => new ImageBackupError("SYSTEM", text);

/** What this process is to do, if it is a mounter. */
export function takeCall(): Call | null {
  const call = process.env[VARIABLE];
  delete process.env[VARIABLE];
  return call === undefined ? null : (JSON.parse(call) as Call);
}
