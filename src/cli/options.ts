import type { ArgsDef } from "citty";
import { DEFAULT_INDEX_SIZE } from "../image/rank.ts";

const image = {
  type: "positional",
  description: "partclone or ntfsclone image file",
} as const;

const common = {
  mountpoint: {
    type: "string",
    alias: "m",
    valueHint: "DIR",
    description: "show the partition as a read-only file in DIR, an empty directory",
  },
  debug_fuse: {
    type: "boolean",
    alias: "d",
    description: "with -m: stay in the foreground and print a line for each request",
  },
  verbose: {
    type: "boolean",
    alias: "v",
    description: "print what the image's header says",
  },
} as const satisfies ArgsDef;

const information = {
  help: { type: "boolean", alias: "h", description: "print this help" },
  version: { type: "boolean", description: "print the version" },
} as const satisfies ArgsDef;

export const vpartcloneArgs = {
  IMAGE: image,
  ...common,
  index_size: {
    type: "string",
    alias: "i",
    valueHint: "BLOCKS",
    description: `blocks of the bitmap under one count of the index (default ${DEFAULT_INDEX_SIZE}); smaller is faster and takes more memory`,
  },
  ...information,
} as const satisfies ArgsDef;

export const vntfscloneArgs = {
  IMAGE: image,
  ...common,
  ...information,
} as const satisfies ArgsDef;
