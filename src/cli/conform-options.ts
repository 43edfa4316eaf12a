import type { ArgsDef } from "citty";
import type { HelpTopic } from "./help.ts";

const vconformArgs = {
  IMAGE: {
    type: "positional",
    description:
      "partclone or ntfsclone image, also compressed, or - for standard input; or: list, explain ID",
  },
  rule: {
    type: "string",
    alias: "r",
    valueHint: "ID",
    description: "judge this rule only; may be given several times",
  },
  quick: {
    type: "boolean",
    alias: "q",
    description: "do not read the data: no checksums",
  },
  "max-findings": {
    type: "string",
    valueHint: "N",
    description: "places shown of each broken rule (default 20); the others are counted",
  },
  json: { type: "boolean", description: "print one JSON object" },
  junit: { type: "boolean", description: "print JUnit XML" },
  tap: { type: "boolean", description: "print TAP" },
  help: { type: "boolean", alias: "h", description: "print this help" },
  version: { type: "boolean", description: "print the version" },
} as const satisfies ArgsDef;

export const vconform: HelpTopic = {
  name: "vconform",
  description: "Judges rule by rule whether partclone and ntfsclone images conform to their format",
  about:
    "The rules are those of spec/. Of each that applies it says: pass; fail, with the place in the file, what was found, and what readers do with it; or why it does not apply. SHOULD rules that fail do not change the exit status.",
  args: vconformArgs,
  statuses: [
    [0, "all MUST rules hold"],
    [1, "some MUST rule fails"],
    [2, "the command line is wrong"],
    [3, "an image could not be read, or is none"],
  ],
  repeatable: ["rule"],
  variadic: true,
  examples: [
    {
      command: "vconform sda1.img",
      does: "every rule that applies; exit 0 if all MUST rules hold",
    },
    { command: "vconform -q --junit *.img", does: "for CI, without reading the data" },
    { command: "zstd -dc sda1.img.zst | vconform -", does: "from a pipe" },
    { command: "vconform list", does: "all rules" },
    { command: "vconform explain PC2-CHECKSUM", does: "what a rule says, and where it comes from" },
  ],
};
