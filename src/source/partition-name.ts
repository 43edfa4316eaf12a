import { basename } from "node:path";

/** What compressors add to a file's name. */
export const ENDINGS = /\.(gz|bz2|zst|lz4|xz|lzma|lz|lzo)$/;

/** The name of an image without `.img` and what compressors add; `path`: of a split image, the whole's. */
export const partitionNameOf = (path: string): string =>
  fileName(
    basename(path)
      .replace(ENDINGS, "")
      .replace(/(?<=.)\.img$/, ""),
  );

/** A name that a file can have: of `.gz`, `..gz` and the like too little is left. */
export const fileName = (name: string): string =>
  /^\.{0,2}$/.test(name) ? `partition${name}` : name;
