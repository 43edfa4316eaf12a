import { takeCall } from "../files/mounter.ts";
import { isBackgroundChild } from "../fuse/background.ts";

/** What a program's process does: what one of its own kind has started it for, or else `run`. */
export async function start(run: () => Promise<void>): Promise<void> {
  const call = takeCall();
  if (call) {
    const { perform } = await import("../files/mounter-process.ts");
    perform(call);
  } else if (isBackgroundChild()) {
    // Its parent has understood the command line: loading that part again would take 20 ms.
    const { serveInBackground } = await import("./serve-in-background.ts");
    await serveInBackground();
  } else await run();
}
