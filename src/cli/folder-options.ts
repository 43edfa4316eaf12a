import type { ArgsDef } from "citty";
import type { HelpTopic } from "./help.ts";
import { common, information } from "./options.ts";

const vclonezillaArgs = {
  DIR: {
    type: "positional",
    description: "folder of images, as Clonezilla, Rescuezilla and FOG make them",
  },
  mountpoint: {
    ...common.mountpoint,
    description:
      "show each partition, and each whole disk, as a read-only file in DIR, an empty directory",
  },
  debug_fuse: common.debug_fuse,
  verify: {
    ...common.verify,
    description:
      "with -m: prove each checksum before its blocks are first read, where an image has any; bad ones give EIO",
  },
  log: common.log,
  "index-dir": {
    ...common["index-dir"],
    description: common["index-dir"].description.replace("with -m or --index:", "with -m:"),
  },
  "no-index-cache": common["no-index-cache"],
  "verify-folder": {
    type: "boolean",
    description:
      "read every file once: prove the images' own checksums, and those in MD5SUMS, SHA1SUMS, B2SUMS and B3SUMS",
  },
  quiet: {
    ...common.quiet,
    description: "with --verify-folder: show no progress",
  },
  json: {
    type: "boolean",
    description: "print what is in the folder as one JSON object",
  },
  ...information,
} as const satisfies ArgsDef;

export const vclonezilla: HelpTopic = {
  name: "vclonezilla",
  description:
    "Tells what is in a folder of Clonezilla, Rescuezilla or FOG, and mounts its partitions",
  about:
    "Prints a table of the partitions: file system, size, format, compression, pieces, and whether the image opens. What an image is, its content says before its name; the other files that such folders have may be missing. With -m the command returns as soon as the mount answers; a process in the background serves it until it is unmounted, and opens each image when its file is first read. A disk's file has the partition table, the partitions at their places, swap, and holes elsewhere; it is there if the folder has the table.",
  args: vclonezillaArgs,
  statuses: [
    [0, "every image opens; with --verify-folder: all is right"],
    [1, "one of them does not, or is damaged, or there is none, or nothing could be mounted"],
    [2, "the command line is wrong"],
  ],
  examples: [
    { command: "vclonezilla 2026-11-23-img", does: "print what is in the folder" },
    {
      command: "vclonezilla 2026-11-23-img -m mnt",
      does: "show mnt/sda1, mnt/sda2, … and mnt/sda",
    },
    { command: "vpartclone --unmount mnt", does: "end that" },
    { command: "vclonezilla 2026-11-23-img --verify-folder", does: "prove all checksums" },
    { command: "vclonezilla 2026-11-23-img --json", does: "print what is in it as JSON" },
  ],
};
