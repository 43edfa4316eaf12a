import { viewOf } from "../bytes/view.ts";
import { isSkippable } from "./codecs/exact.ts";
import { isLzma } from "./codecs/lzma-header.ts";
import type { ByteSource, ByteStream } from "./source.ts";

/** Turns the compressed bytes of a stream into the bytes that were compressed. */
export type Decode = (input: ByteStream) => AsyncGenerator<Uint8Array>;

export interface Compression {
  readonly name: string;
  /** What a file begins with, in hexadecimal digits; `?` is any digit. */
  readonly magics: readonly string[];
  /** Must hold too where the magic alone says little. */
  readonly confirm?: (head: Uint8Array) => boolean;
  /** The command that decompresses a file to its standard output. */
  readonly command: string;
  /** Loaded when needed: most runs decompress nothing. */
  readonly load: () => Promise<Decode>;
}

const zstd: Compression = {
  name: "zstd",
  magics: ["28b52ffd"],
  command: "zstd -dc",
  load: async () => (await import("./codecs/zstd.ts")).unzstd,
};

export const compressions: readonly Compression[] = [
  {
    name: "gzip",
    magics: ["1f8b"],
    command: "gzip -dc",
    load: async () => (await import("./codecs/gzip.ts")).gunzip,
  },
  zstd,
  {
    name: "bzip2",
    magics: ["425a683?"],
    command: "bzip2 -dc",
    load: async () => (await import("./codecs/bzip2.ts")).bunzip2,
  },
  {
    name: "lz4",
    magics: ["04224d18", "02214c18"],
    command: "lz4 -dc",
    load: async () => (await import("./codecs/lz4.ts")).unlz4,
  },
  {
    name: "xz",
    magics: ["fd377a585a00"],
    command: "xz -dc",
    load: async () => (await import("./codecs/xz.ts")).unxz,
  },
  {
    name: "lzma",
    magics: ["5d0000"],
    confirm: isLzma,
    command: "xz -dc",
    load: async () => (await import("./codecs/xz.ts")).unlzma,
  },
  {
    name: "lzip",
    magics: ["4c5a4950"],
    command: "lzip -dc",
    load: async () => (await import("./codecs/xz.ts")).unlzip,
  },
  {
    name: "lzop",
    magics: ["894c5a4f000d0a1a0a"],
    command: "lzop -dc",
    load: async () => (await import("./codecs/lzop.ts")).unlzop,
  },
];

/** As many bytes of a file as `detectCompression` looks at. */
export const HEAD_SIZE = 4096;

/** How a file that begins with `head` is compressed, by its content and never by its name. */
export function detectCompression(head: Uint8Array): Compression | null {
  const frame = pastSkippableFrames(head);
  const found = compressions.find((compression) => isMatch(compression, frame)) ?? null;
  // zstd is far more often the writer of skippable frames that reach beyond `head`.
  return found === null && frame !== head ? zstd : found;
}

/** What follows the frames that zstd and lz4 share and that tell neither. */
function pastSkippableFrames(head: Uint8Array): Uint8Array {
  if (head.length < 8) return head;
  const fields = viewOf(head);
  if (!isSkippable(fields.getUint32(0, true))) return head;
  return pastSkippableFrames(head.subarray(8 + fields.getUint32(4, true)));
}

/** How a stored file is compressed; `null`: it is not, or in no way that we know. */
export async function compressionOf(source: ByteSource): Promise<Compression | null> {
  const head = new Uint8Array(Math.min(HEAD_SIZE, source.size));
  await source.read(head, 0);
  return detectCompression(head);
}

function isMatch({ magics, confirm }: Compression, head: Uint8Array): boolean {
  const digits = head.subarray(0, 16).toHex();
  const begins = magics.some(
    (magic) =>
      digits.length >= magic.length &&
      [...magic].every((digit, index) => digit === "?" || digit === digits[index]),
  );
  return begins && (confirm?.(head) ?? true);
}
