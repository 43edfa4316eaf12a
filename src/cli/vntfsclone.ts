#!/usr/bin/env bun
import { vntfsclone } from "./options.ts";
import { runImageProgram } from "./program.ts";

await runImageProgram(vntfsclone);
