#!/usr/bin/env bun
import { isBackgroundChild } from "../fuse/background.ts";

if (isBackgroundChild()) {
  const { serveInBackground } = await import("./serve-in-background.ts");
  await serveInBackground();
} else {
  const { runFolderProgram } = await import("./folder-program.ts");
  await runFolderProgram();
}
