import type { SeekableCodec } from "./codec.ts";

/** Loaded when needed, by the names of the table of compressions. */
const codecs: Readonly<Record<string, () => Promise<SeekableCodec>>> = {
  bzip2: async () => (await import("./bzip2/bzip2.ts")).bzip2,
  gzip: async () => (await import("./gzip/gzip.ts")).gzip,
  lz4: async () => (await import("./lz4/lz4.ts")).lz4,
  lzip: async () => (await import("./lzip/lzip.ts")).lzip,
  lzma: async () => (await import("./xz/lzma.ts")).lzma,
  lzop: async () => (await import("./lzop/lzop.ts")).lzop,
  xz: async () => (await import("./xz/xz.ts")).xz,
  zstd: async () => (await import("./zstd/zstd.ts")).zstd,
};

/** How data compressed in the way of this name are read in any order. */
export async function seekableCodec(name: string): Promise<SeekableCodec> {
  const load = codecs[name];
  if (!load) throw new RangeError(`nothing reads ${name} in any order`);
  return await load();
}
