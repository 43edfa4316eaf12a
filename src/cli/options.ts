import type { ArgsDef } from "citty";
import { DEFAULT_INDEX_SIZE } from "../image/rank.ts";
import type { HelpTopic } from "./help.ts";

const image = {
  type: "positional",
  // Asked for by our own parser, but where an option does without.
  required: false,
  description:
    "partclone or ntfsclone image, also compressed, or any piece of a split one; for -v, -c and --restore also - for standard input",
} as const;

/** Options that several commands have. */
export const common = {
  mountpoint: {
    type: "string",
    alias: "m",
    valueHint: "DIR",
    description: "show the partition as a read-only file in DIR, an empty directory",
  },
  files: {
    type: "boolean",
    description: "with -m: show the files in the partition instead, read-only",
  },
  "ntfs-backup-boot": {
    type: "boolean",
    description:
      "with -m: show a copy of the boot sector where an NTFS image lacks the backup of it",
  },
  debug_fuse: {
    type: "boolean",
    alias: "d",
    description: "with -m: stay in the foreground and print a line for each request",
  },
  verbose: {
    type: "boolean",
    alias: "v",
    description: "print what the header and the bitmap say",
  },
  json: {
    type: "boolean",
    description: "print that as one JSON object",
  },
  crc_check: {
    type: "boolean",
    alias: "c",
    description: "read the whole image and prove every checksum; exit 0 only if all is right",
  },
  verify: {
    type: "boolean",
    description: "with -m: prove each checksum before its blocks are first read; bad ones give EIO",
  },
  log: {
    type: "string",
    valueHint: "FILE",
    description:
      "with -m: append errors of the server to FILE; otherwise they go to the system log",
  },
  index: {
    type: "boolean",
    description: "make the index of a compressed image now, which its first mount would make",
  },
  "index-dir": {
    type: "string",
    valueHint: "DIR",
    description:
      "with -m or --index: keep indexes of compressed and of ntfsclone images in DIR, not in the user's cache directory",
  },
  "no-index-cache": {
    type: "boolean",
    description: "with -m: keep no index; the next mount makes it again",
  },
  restore: {
    type: "string",
    valueHint: "TARGET",
    description:
      "write the partition to TARGET, a new file (sparse) or a device, and prove every checksum on the way",
  },
  force: {
    type: "boolean",
    description: "with --restore: write over what TARGET holds",
  },
  discard: {
    type: "boolean",
    description: "with --restore to a device: discard all it holds first",
  },
  quiet: {
    type: "boolean",
    alias: "q",
    description: "with -c, --restore or --index: show no progress",
  },
  mounts: {
    type: "boolean",
    description: "print which images are mounted where, and by which process; alone, without IMAGE",
  },
  unmount: {
    type: "string",
    valueHint: "DIR",
    description: "end what is mounted on DIR, and its process; alone, without IMAGE",
  },
} as const satisfies ArgsDef;

export const information = {
  help: { type: "boolean", alias: "h", description: "print this help" },
  version: { type: "boolean", description: "print the version" },
} as const satisfies ArgsDef;

const vpartcloneArgs = {
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

const vntfscloneArgs = {
  IMAGE: image,
  ...common,
  ...information,
} as const satisfies ArgsDef;

const alone = ["mounts", "unmount"] as const;

const about =
  "With -m the command returns as soon as the mount answers; a process in the background serves it until it is unmounted. The file is named as the image without .img, what compressors add, and what tells the pieces of a split image, and has exactly the partition's size.";

const statuses = [
  [0, "all is right"],
  [1, "something is wrong with the image, or it could not be mounted"],
  [2, "the command line is wrong"],
] as const;

export const vpartclone: HelpTopic = {
  name: "vpartclone",
  description: "Mounts a partclone image as a read-only virtual partition, describes and checks it",
  about,
  args: vpartcloneArgs,
  alone,
  statuses,
  examples: [
    { command: "vpartclone sda1.img -m mnt", does: "show the partition as the file mnt/sda1" },
    { command: "vpartclone sda1.img -m mnt --files", does: "show the files in the partition" },
    { command: "vpartclone --unmount mnt", does: "end that" },
    { command: "vpartclone -v sda1.img", does: "print what the image's header says" },
    { command: "vpartclone -c sda1.img.zst", does: "prove every checksum, without unpacking" },
    {
      command: "vpartclone sda1.img --restore sda1.raw",
      does: "write the partition to a sparse file",
    },
  ],
};

export const vntfsclone: HelpTopic = {
  name: "vntfsclone",
  description:
    "Mounts an ntfsclone image as a read-only virtual partition, describes and checks it",
  about,
  args: vntfscloneArgs,
  alone,
  statuses,
  examples: [
    { command: "vntfsclone c.img -m mnt", does: "show the partition as the file mnt/c" },
    { command: "vntfsclone c.img -m mnt --files", does: "show the files in the partition" },
    { command: "vntfsclone --unmount mnt", does: "end that" },
    { command: "vntfsclone -v c.img", does: "print what the image's header says" },
    { command: "vntfsclone -c c.img.gz", does: "follow the whole image, without unpacking" },
  ],
};
