import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Lz4Place, lz4Blocks } from "../../source/codecs/lz4.ts";
import type { Lz4Header } from "../../source/codecs/lz4-header.ts";
import type { ByteStream } from "../../source/source.ts";
import type { SeekableCodec } from "../codec.ts";
import { type Follow, followAll, followSegment, type Step } from "../pass.ts";
import { joinPieces, numbers, numbersOf, splitPieces } from "../pieces.ts";

/** LZ4 frames: any place between two blocks, whose window is 64 KiB where blocks are linked. */
export const lz4: SeekableCodec = {
  name: "lz4",
  version: 1,
  spacing: 4 * 2 ** 20,
  build: (compressed, options) => followAll(compressed, "lz4", follow, options),
  readSegment: (compressed, segment, needed) =>
    followSegment(compressed, "lz4", follow, segment, needed),
};

const follow: Follow = async function* (input: ByteStream, _, state): AsyncGenerator<Step> {
  for await (const { bytes, isChecked, place } of lz4Blocks(input, state && decodeState(state))) {
    const inOffset = input.position;
    yield {
      bytes,
      isChecked,
      place: { inOffset, inBit: 0, state: async () => encodeState(await place()) },
    };
  }
};

function encodeState({ header, size, checksum, history }: Lz4Place): Uint8Array {
  const window = history.length > 0 ? zstdCompressSync(history) : history;
  return joinPieces([numbers(size), headerFields(header), checksum, window]);
}

function decodeState(bytes: Uint8Array): Lz4Place {
  const [size, fields, checksum = new Uint8Array(), window = new Uint8Array()] = splitPieces(bytes);
  return {
    header: headerOf(numbersOf(fields)),
    size: numbersOf(size)[0] ?? 0,
    checksum,
    history: window.length > 0 ? zstdDecompressSync(window) : window,
  };
}

function headerFields(header: Lz4Header | null): Uint8Array {
  if (!header) return numbers();
  const { isIndependent, hasBlockChecksums, hasContentChecksum } = header;
  const size = header.contentSize === null ? -1 : Number(header.contentSize);
  const flags = [isIndependent, hasBlockChecksums, hasContentChecksum].map(Number);
  return numbers(header.maxBlockSize, size, ...flags);
}

function headerOf(fields: readonly number[]): Lz4Header | null {
  const [maxBlockSize, size = -1, isIndependent, hasBlockChecksums, hasContentChecksum] = fields;
  if (maxBlockSize === undefined) return null;
  return {
    maxBlockSize,
    contentSize: size < 0 ? null : BigInt(size),
    isIndependent: isIndependent === 1,
    hasBlockChecksums: hasBlockChecksums === 1,
    hasContentChecksum: hasContentChecksum === 1,
  };
}
