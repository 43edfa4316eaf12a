/** The commands that compress standard input to standard output. */
export const compressors = {
  gzip: ["gzip", "-c"],
  zstd: ["zstd", "-qc"],
  bzip2: ["bzip2", "-c"],
  xz: ["xz", "-c"],
  lzma: ["xz", "--format=lzma", "-c"],
  lz4: ["lz4", "-qc"],
  lzip: ["lzip", "-c"],
  lzop: ["lzop", "-c"],
} as const satisfies Record<string, readonly [string, ...string[]]>;

export type CompressorName = keyof typeof compressors;

export function compressed(by: CompressorName, bytes: Uint8Array): Uint8Array {
  const { stdout, exitCode } = Bun.spawnSync([...compressors[by]], { stdin: bytes });
  if (exitCode !== 0) throw new Error(`${by}: status ${exitCode}`);
  return stdout;
}
