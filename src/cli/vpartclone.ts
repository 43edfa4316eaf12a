#!/usr/bin/env bun
import { vpartclone } from "./options.ts";
import { runImageProgram } from "./program.ts";

await runImageProgram(vpartclone);
