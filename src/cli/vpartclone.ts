#!/usr/bin/env bun
import { takeCall } from "../files/mounter.ts";
import { isBackgroundChild } from "../fuse/background.ts";

const call = takeCall();
if (call) {
  const { perform } = await import("../files/mounter-process.ts");
  perform(call);
} else if (isBackgroundChild()) {
  // Its parent has understood the command line: loading that part again would take 20 ms.
  const { serveInBackground } = await import("./serve-in-background.ts");
  await serveInBackground();
} else {
  const { vpartclone } = await import("./options.ts");
  const { runImageProgram } = await import("./program.ts");
  await runImageProgram(vpartclone);
}
