#!/usr/bin/env bun
import { runFolderProgram } from "./folder-program.ts";

await runFolderProgram();
