import { detachFrom, unmountFrom } from "../fuse/mount.ts";
import { usersMayAllowOthers } from "../fuse/mount-point.ts";
import { hasDriver, programPath } from "./drivers.ts";
import type { Answer, Call, Shown, ShowTask } from "./mounter.ts";
import { recognize } from "./recognize.ts";
import { showFiles } from "./show.ts";
import { type Host, noWay, type Owner, waysToFiles } from "./ways.ts";

/** What a mounter's process does: one call, whose answer it prints. */
export function perform(call: Call): void {
  let answer: Answer;
  try {
    answer = { result: resultOf(call) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  process.stdout.write(JSON.stringify(answer));
}

function resultOf(call: Call): unknown {
  switch (call.name) {
    case "show":
      return show(call.argument);
    case "unmount":
      return unmountFrom(call.argument);
    case "detach":
      detachFrom(call.argument);
      return null;
  }
}

function show({ fsType, owner, partition, directory }: ShowTask): Shown {
  const server = process.ppid;
  const host = thisHost();
  const { name, fileSystem } = recognize(fsType, partition);
  const ways = waysToFiles(fileSystem, host, ownerOf(owner, host));
  if (ways.length === 0) throw noWay(name, fileSystem, host);
  const shown = showFiles(ways, partition, directory);
  // Killed meanwhile: nobody else knows of this mount.
  if (process.ppid !== server) detachFrom(directory);
  return shown;
}

const thisHost = (): Host => ({
  isRoot: process.geteuid?.() === 0,
  mayAllowOthers: usersMayAllowOthers(),
  hasDriver,
  program: programPath,
});

const OWNER_ONLY = 0o600;

/** FUS-FILES-OWNER: an ordinary user's driver gives the files to nobody else. */
function ownerOf(image: Owner, { isRoot }: Host): Owner {
  if (isRoot) return image;
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0, mode: OWNER_ONLY };
}
