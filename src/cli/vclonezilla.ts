#!/usr/bin/env bun
import { start } from "./start.ts";

await start(async () => {
  const { runFolderProgram } = await import("./folder-program.ts");
  await runFolderProgram();
});
