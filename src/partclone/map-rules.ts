import { counted } from "../bytes/sizes.ts";
import type { Rule } from "../image/rules.ts";
import type { BitmapFacts } from "./bitmap.ts";
import { hex } from "./header-rules.ts";

/** What was read between the header and the data. */
export interface MapFacts extends BitmapFacts {
  /** Byte offset in the image file of the map. */
  readonly mapOffset: number;
  /** Byte offset in the image file of what ends the map: `BiTmAgIc`, or the bitmap's CRC. */
  readonly endOffset: number;
  /** Bytes there; fewer than expected if the file ends. */
  readonly endMark: Uint8Array;
  readonly endMarkBytes: number;
  /** The CRC stored after a bitmap of bits; `null` after a byte map. */
  readonly storedCrc: number | null;
  /** Is the mark after a byte map `BiTmAgIc`? */
  readonly magicFits: boolean;
  /** Blocks present, counted. */
  readonly population: number;
  readonly headerUsed: bigint;
}

const mapAt = ({ mapOffset }: MapFacts) => mapOffset;
const endAt = ({ endOffset }: MapFacts) => endOffset;

const cutMap = ({ complete, endMark, endMarkBytes }: MapFacts) =>
  complete && endMark.length === endMarkBytes
    ? null
    : "the image ends within its bitmap: nobody can know which blocks it holds";
const oddValues = ({ oddValues: odd }: MapFacts) =>
  odd === 0
    ? null
    : `${counted(odd, "byte")} of the byte map: neither 0 nor 1; only 1 means present`;
const badMagic = ({ storedCrc, magicFits }: MapFacts) =>
  storedCrc !== null || magicFits ? null : "the byte map does not end in BiTmAgIc";
const badCount = ({ headerUsed, population }: MapFacts) =>
  headerUsed === BigInt(population)
    ? null
    : `the header says ${headerUsed} used blocks, the bitmap has ${population}; the bitmap is believed`;

/** Of a map that is cut that is all there is to say: its end and its count cannot but be wrong. */
const ofWhole = (broken: (facts: MapFacts) => string | null) => (facts: MapFacts) =>
  cutMap(facts) === null ? broken(facts) : null;

export const v1MapRules: readonly Rule<MapFacts>[] = [
  { id: "PC1-BYTE-MAP-COMPLETE", reading: "refused", at: mapAt, broken: cutMap },
  { id: "PC1-BITMAGIC", reading: "refused", at: endAt, broken: ofWhole(badMagic) },
  { id: "PC1-BYTE-MAP-VALUES", reading: "warned", at: mapAt, broken: oddValues },
  { id: "PC1-USED-COUNT", reading: "warned", at: 56, broken: ofWhole(badCount) },
];

export const v2MapRules: readonly Rule<MapFacts>[] = [
  { id: "PC2-BITMAP-COMPLETE", reading: "refused", at: mapAt, broken: cutMap },
  {
    id: "PC2-BITMAP-CRC",
    reading: "refused",
    at: endAt,
    broken: ofWhole(({ storedCrc, computedCrc }) =>
      storedCrc === null || storedCrc === computedCrc
        ? null
        : `the bitmap's checksum is ${hex(computedCrc)}, but ${hex(storedCrc)} is stored: its blocks cannot be placed`,
    ),
  },
  { id: "PC2-BITMAGIC", reading: "refused", at: endAt, broken: ofWhole(badMagic) },
  {
    id: "PC2-STRAY-BITS",
    reading: "warned",
    at: ({ endOffset }) => endOffset - 1,
    broken: ({ strayBits }) =>
      strayBits === 0
        ? null
        : `${counted(strayBits, "bit")} set past the bitmap's last block: ignored`,
  },
  { id: "PC2-BYTE-MAP-VALUES", reading: "warned", at: mapAt, broken: oddValues },
  { id: "PC2-USED-BITMAP", reading: "warned", at: 76, broken: ofWhole(badCount) },
];

/** Where the data lies, against the file's real size. */
export interface SizeFacts {
  readonly dataStart: number;
  /** Byte offset in the image file after the last checksum. */
  readonly dataEnd: number;
  /** `null` for a stream of unknown length. */
  readonly fileSize: number | null;
  readonly checksumSize: number;
}

const missing = ({ dataEnd, fileSize }: SizeFacts) =>
  fileSize === null || fileSize >= dataEnd
    ? null
    : `the image is truncated: ${dataEnd - fileSize} of ${dataEnd} bytes are missing; reads of what is missing fail`;
const trailing = ({ dataEnd, fileSize }: SizeFacts) =>
  fileSize === null || fileSize <= dataEnd
    ? null
    : `${counted(fileSize - dataEnd, "byte")} after the image's end: ignored`;
const fileEnd = ({ fileSize }: SizeFacts) => fileSize ?? 0;
const dataEnd = ({ dataEnd: end }: SizeFacts) => end;

/** Judged again at the end of a stream whose size was unknown. */
export const v1EndRules: readonly Rule<SizeFacts>[] = [
  { id: "PC1-DATA-COMPLETE", reading: "warned", at: fileEnd, broken: missing },
  { id: "PC1-DATA-END", reading: "warned", at: dataEnd, broken: trailing },
];
export const v2EndRules: readonly Rule<SizeFacts>[] = [
  { id: "PC2-DATA-COMPLETE", reading: "warned", at: fileEnd, broken: missing },
  { id: "PC2-DATA-END", reading: "warned", at: dataEnd, broken: trailing },
];

export const v1SizeRules: readonly Rule<SizeFacts>[] = [
  {
    id: "PC1-CHECKSUM-WIDTH",
    reading: "warned",
    at: ({ dataStart }) => dataStart,
    broken: ({ checksumSize }) =>
      checksumSize === 4
        ? null
        : "its checksums take 8 bytes instead of 4: written by partclone before 0.1.0 on a 64-bit machine",
  },
  ...v1EndRules,
];
