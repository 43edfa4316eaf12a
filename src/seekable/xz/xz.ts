import { crc32 } from "node:zlib";
import { viewOf } from "../../bytes/view.ts";
import { unxz, xzFormat } from "../../source/codecs/xz.ts";
import type { ByteSource } from "../../source/source.ts";
import type { BuildEvent, BuildOptions, SeekableCodec, Segment } from "../codec.ts";
import { decodeStreams } from "../streamed.ts";
import { areSmall, indexUnits, isListed, type Unit, unitsOf } from "../units.ts";
import { buildSnapshots, readSnapshot, snapshotVersion } from "./snapshots.ts";
import { listBlocks, padded } from "./streams.ts";
import { encodedNumbers } from "./variable.ts";

/** The .xz file format 1.2.1, 2.1.1.2. */
const NO_CHECK = 0;

/** .xz streams, which list their blocks at their end; each block has its own check. */
export const xz: SeekableCodec = {
  name: "xz",
  version: snapshotVersion,
  spacing: 4 * 2 ** 20,
  build,
  readSegment,
};

async function* build(compressed: ByteSource, options: BuildOptions): AsyncGenerator<BuildEvent> {
  const blocks = await listBlocks(compressed);
  const hasChecks = blocks.every(({ kind }) => kind !== NO_CHECK);
  yield* areSmall(blocks)
    ? indexUnits(compressed, "xz", blocks, hasChecks, options)
    : buildSnapshots(compressed, xzFormat, hasChecks, options);
}

async function readSegment(
  compressed: ByteSource,
  segment: Segment,
  needed?: number,
): Promise<Uint8Array> {
  if (!isListed(segment.from)) return readSnapshot(compressed, xzFormat, segment, needed);
  const streams: Uint8Array[] = [];
  for (const block of unitsOf(segment.from)) streams.push(await streamOf(compressed, block));
  return await decodeStreams(compressed, "xz", unxz, streams, segment);
}

/** The block as the only one of a stream: so the decoder checks its sizes too. */
async function streamOf(compressed: ByteSource, { at, size, length, kind }: Unit) {
  const block = new Uint8Array(padded(size));
  await compressed.read(block, at);
  const flags = Uint8Array.of(0, kind);
  const index = withZeros(Buffer.concat([Uint8Array.of(0), encodedNumbers([1, size, length])]));
  const footer = Buffer.concat([number32((index.length + 4) / 4 - 1), flags]);
  const magic = Uint8Array.of(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0);
  return Buffer.concat([
    ...[magic, flags, number32(crc32(flags))],
    block,
    ...[index, number32(crc32(index))],
    ...[number32(crc32(footer)), footer, Buffer.from("YZ")],
  ]);
}

function withZeros(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([bytes, new Uint8Array(padded(bytes.length) - bytes.length)]);
}

function number32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value, true);
  return bytes;
}
