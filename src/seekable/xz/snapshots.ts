import { crc32, zstdCompressSync } from "node:zlib";
import { free } from "../../bytes/free.ts";
import { liblzmaBinary } from "../../source/codecs/liblzma.ts";
import { type LzmaFormat, lzmaPieces } from "../../source/codecs/xz.ts";
import { headerSize, readFrameHeader } from "../../source/codecs/zstd-header.ts";
import type { ByteSource } from "../../source/source.ts";
import type { BuildEvent, BuildOptions, Segment } from "../codec.ts";
import { type Follow, followAll, followSegment } from "../pass.ts";
import { decodeFrames } from "../zstd/native.ts";

/** A decoder's memory is large: a segment has so many times as many bytes, and is so many times the usual. */
const BYTES_PER_STATE_BYTE = 8;
const WIDENED = 4;
const MOST_WIDENED = 2 * WIDENED;

/** Another binary has other memory. */
export const snapshotVersion = crc32(liblzmaBinary());

/**
 * As a codec's `build`, for what has no places to begin at: a checkpoint is the decoder's memory.
 * `isChecked`: the data have checksums.
 */
export function buildSnapshots(
  compressed: ByteSource,
  format: LzmaFormat,
  isChecked: boolean,
  { from, spacing }: BuildOptions,
): AsyncIterable<BuildEvent> {
  const follow = following(format, isChecked, spacing * MOST_WIDENED);
  return followAll(compressed, format.name, follow, { from, spacing: spacing * WIDENED });
}

export function readSnapshot(
  compressed: ByteSource,
  format: LzmaFormat,
  segment: Segment,
  needed?: number,
): Promise<Uint8Array> {
  return followSegment(compressed, format.name, following(format, false, 0), segment, needed);
}

/** Offers no place before `most` bytes whose state is too large for the segment that it begins. */
const following = (format: LzmaFormat, isChecked: boolean, most: number): Follow =>
  async function* (input, _, state) {
    let since = 0;
    let wanted = state ? Math.min(most, state.length * BYTES_PER_STATE_BYTE) : 0;
    for await (const { bytes, save } of lzmaPieces(
      input,
      format,
      state && (await expanded(state)),
    )) {
      since += bytes.length;
      const saved = async () => {
        const memory = save();
        const kept = memory.length === 0 ? memory : zstdCompressSync(memory);
        free(memory);
        since = 0;
        wanted = Math.min(most, kept.length * BYTES_PER_STATE_BYTE);
        return kept;
      };
      const place = { inOffset: input.position, inBit: 0, state: saved };
      yield { bytes, isChecked, place: since >= wanted ? place : null };
    }
  };

/** Told its size: memory that grows meanwhile takes as much again. */
async function expanded(state: Uint8Array): Promise<Uint8Array | null> {
  if (state.length === 0) return null;
  const header = state.subarray(0, headerSize(state[4] ?? 0));
  const size = readFrameHeader(header).contentSize ?? 0;
  return decodeFrames(state, size, size);
}
