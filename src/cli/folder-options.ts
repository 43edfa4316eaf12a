import type { ArgsDef } from "citty";
import type { HelpTopic } from "./help.ts";
import { information } from "./options.ts";

const vclonezillaArgs = {
  DIR: {
    type: "positional",
    description: "folder of images, as Clonezilla, Rescuezilla and FOG make them",
  },
  json: {
    type: "boolean",
    description: "print what is in the folder as one JSON object",
  },
  ...information,
} as const satisfies ArgsDef;

export const vclonezilla: HelpTopic = {
  name: "vclonezilla",
  description: "Tells what is in a folder of Clonezilla, Rescuezilla or FOG",
  about:
    "Prints a table of the partitions: file system, size, format, compression, pieces, and whether the image opens. What an image is, its content says before its name; the other files that such folders have may be missing.",
  args: vclonezillaArgs,
  statuses: [
    [0, "every image opens"],
    [1, "one of them does not, or there is none"],
    [2, "the command line is wrong"],
  ],
  examples: [
    { command: "vclonezilla 2026-11-23-img", does: "print what is in the folder" },
    { command: "vclonezilla 2026-11-23-img --json", does: "the same as JSON" },
  ],
};
