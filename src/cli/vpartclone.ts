#!/usr/bin/env bun
import { vpartcloneArgs } from "./options.ts";
import { runImageProgram } from "./program.ts";

await runImageProgram(
  "vpartclone",
  "Mounts a partclone image as a read-only virtual partition",
  vpartcloneArgs,
);
