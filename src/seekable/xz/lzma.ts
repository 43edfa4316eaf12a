import { lzmaFormat } from "../../source/codecs/xz.ts";
import type { SeekableCodec } from "../codec.ts";
import { buildSnapshots, readSnapshot, snapshotVersion } from "./snapshots.ts";

/** .lzma files: one stretch without a place to begin at, a list or a checksum. */
export const lzma: SeekableCodec = {
  name: "lzma",
  version: snapshotVersion,
  spacing: 4 * 2 ** 20,
  build: (compressed, options) => buildSnapshots(compressed, lzmaFormat, false, options),
  readSegment: (compressed, segment, needed) =>
    readSnapshot(compressed, lzmaFormat, segment, needed),
};
