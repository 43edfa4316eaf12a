#!/usr/bin/env bun
import { start } from "./start.ts";

await start(async () => {
  const { vntfsclone } = await import("./options.ts");
  const { runImageProgram } = await import("./program.ts");
  await runImageProgram(vntfsclone);
});
