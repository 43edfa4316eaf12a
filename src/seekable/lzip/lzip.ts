import { viewOf } from "../../bytes/view.ts";
import { lzipFormat, unlzip } from "../../source/codecs/xz.ts";
import type { ByteSource } from "../../source/source.ts";
import type { BuildEvent, BuildOptions, SeekableCodec, Segment } from "../codec.ts";
import { corrupt } from "../damage.ts";
import { decodeStreams } from "../streamed.ts";
import { areSmall, indexUnits, isListed, type Unit, unitsOf } from "../units.ts";
import { buildSnapshots, readSnapshot, snapshotVersion } from "../xz/snapshots.ts";

/** "LZIP", and its version. */
const MAGIC = "4c5a495001";
const HEADER_SIZE = 6;
/** CRC-32, size of the data, size of the member. */
const TRAILER_SIZE = 20;

/** lzip members, each of which ends with its sizes; `plzip` writes one for each block. */
export const lzip: SeekableCodec = {
  name: "lzip",
  version: snapshotVersion,
  spacing: 4 * 2 ** 20,
  build,
  readSegment,
};

async function* build(compressed: ByteSource, options: BuildOptions): AsyncGenerator<BuildEvent> {
  const members = await listMembers(compressed);
  yield* areSmall(members)
    ? indexUnits(compressed, "lzip", members, true, options)
    : buildSnapshots(compressed, lzipFormat, true, options);
}

async function listMembers(source: ByteSource): Promise<Unit[]> {
  const members: Unit[] = [];
  for (let end = source.size; end > 0 || members.length === 0; ) {
    const member = await readMember(source, end);
    members.push(member);
    end = member.at;
  }
  return members.reverse();
}

/** The member that ends before byte `end`. */
async function readMember(source: ByteSource, end: number): Promise<Unit> {
  const trailer = new Uint8Array(TRAILER_SIZE);
  if (end < HEADER_SIZE + TRAILER_SIZE) throw endsEarly(source, end);
  await source.read(trailer, end - TRAILER_SIZE);
  const length = Number(viewOf(trailer).getBigUint64(4, true));
  const size = Number(viewOf(trailer).getBigUint64(12, true));
  if (size < HEADER_SIZE + TRAILER_SIZE || size > end) throw endsEarly(source, end);
  const header = new Uint8Array(HEADER_SIZE);
  await source.read(header, end - size);
  if (header.subarray(0, 5).toHex() !== MAGIC) throw endsEarly(source, end);
  return { at: end - size, size, length, kind: 0 };
}

function endsEarly(source: ByteSource, at: number) {
  return corrupt(source, "lzip", at, "the file does not end as an lzip member does");
}

async function readSegment(
  compressed: ByteSource,
  segment: Segment,
  needed?: number,
): Promise<Uint8Array> {
  if (!isListed(segment.from)) return readSnapshot(compressed, lzipFormat, segment, needed);
  const members: Uint8Array[] = [];
  for (const { at, size } of unitsOf(segment.from)) {
    const member = new Uint8Array(size);
    await compressed.read(member, at);
    members.push(member);
  }
  return await decodeStreams(compressed, "lzip", unlzip, members, segment);
}
