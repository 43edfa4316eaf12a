#!/usr/bin/env bun
import { start } from "./start.ts";

await start(async () => {
  const { vpartclone } = await import("./options.ts");
  const { runImageProgram } = await import("./program.ts");
  await runImageProgram(vpartclone);
});
