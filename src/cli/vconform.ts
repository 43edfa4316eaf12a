#!/usr/bin/env bun
import packageJson from "../../package.json" with { type: "json" };
import { runProgram } from "./command.ts";
import { vconform } from "./conform-options.ts";
import { runConform } from "./conform-program.ts";

const { version } = packageJson;
await runProgram({ topic: vconform, version, run: (_, given) => runConform(given) });
