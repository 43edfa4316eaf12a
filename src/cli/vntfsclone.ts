#!/usr/bin/env bun
import { vntfscloneArgs } from "./options.ts";
import { runImageProgram } from "./program.ts";

await runImageProgram(
  "vntfsclone",
  "Mounts an ntfsclone image as a read-only virtual partition",
  vntfscloneArgs,
);
