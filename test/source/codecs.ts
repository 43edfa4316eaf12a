/** How the tests make what the codecs read. */
export interface TestCodec {
  readonly name: string;
  /** Compresses its standard input to its standard output. */
  readonly command: readonly string[];
  /** Zeros may follow the last member. */
  readonly allowsPadding: boolean;
  /** Damage anywhere is seen; .lzma has no checksum, and what it decodes to is what it says. */
  readonly hasChecksum: boolean;
  /** Memory that the file itself asks for beyond what is usual. */
  readonly window?: number;
}

export const testCodecs: readonly TestCodec[] = [
  { name: "gzip", command: ["gzip", "-c"], allowsPadding: true, hasChecksum: true },
  { name: "gzip", command: ["pigz", "-c", "-p2"], allowsPadding: true, hasChecksum: true },
  { name: "bzip2", command: ["bzip2", "-c"], allowsPadding: false, hasChecksum: true },
  { name: "bzip2", command: ["bzip2", "-1c"], allowsPadding: false, hasChecksum: true },
  { name: "zstd", command: ["zstd", "-qc"], allowsPadding: false, hasChecksum: true },
  {
    name: "zstd",
    command: ["zstd", "-qc", "--long=27"],
    allowsPadding: false,
    hasChecksum: true,
    window: 2 ** 27,
  },
  { name: "lz4", command: ["lz4", "-qc"], allowsPadding: false, hasChecksum: true },
  { name: "lz4", command: ["lz4", "-qcB5BDBX"], allowsPadding: false, hasChecksum: true },
  { name: "lz4", command: ["lz4", "-9qcB7"], allowsPadding: false, hasChecksum: true },
  { name: "lz4", command: ["lz4", "-lqc"], allowsPadding: false, hasChecksum: false },
  { name: "lzop", command: ["lzop", "-c"], allowsPadding: false, hasChecksum: true },
  { name: "lzop", command: ["lzop", "-9c", "-C"], allowsPadding: false, hasChecksum: true },
  { name: "lzop", command: ["lzop", "-1c", "-F"], allowsPadding: false, hasChecksum: false },
  { name: "xz", command: ["xz", "-0c"], allowsPadding: true, hasChecksum: true },
  { name: "xz", command: ["xz", "-1c", "-Csha256"], allowsPadding: true, hasChecksum: true },
  { name: "lzip", command: ["lzip", "-0c"], allowsPadding: true, hasChecksum: true },
  { name: "lzma", command: ["xz", "-0c", "-Flzma"], allowsPadding: true, hasChecksum: false },
];

export function compress({ command }: TestCodec, content: Uint8Array): Uint8Array {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], { stdin: content });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout;
}
