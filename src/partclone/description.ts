import { RankIndex } from "../image/rank.ts";
import { type Described, type Finding, judge, refusing } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { type BitmapFacts, noBitmap, readBitMap, readByteMap } from "./bitmap.ts";
import { detectV1ChecksumSize } from "./checksum-width.ts";
import { readHeader } from "./header.ts";
import { v1HeaderRules, v2HeaderRules } from "./header-rules.ts";
import { BITMAGIC, bitmapModes, type ChecksumName, checksumMode, type Header } from "./layouts.ts";
import {
  type MapFacts,
  v1EndRules,
  v1MapRules,
  v1SizeRules,
  v2EndRules,
  v2MapRules,
} from "./map-rules.ts";

/** How the data section is laid out; everything a reader needs besides the bytes. */
export interface Geometry {
  readonly generation: 1 | 2;
  /** The byte order of stored checksums. */
  readonly littleEndian: boolean;
  readonly blockSize: number;
  readonly totalBlocks: number;
  readonly deviceSize: number;
  /** Blocks stored, counted in the bitmap. */
  readonly usedBlocks: number;
  readonly checksum: ChecksumName;
  /** Bytes stored after each strip; 0 without checksums. */
  readonly checksumSize: number;
  /** Blocks in a strip; `Infinity` without checksums. */
  readonly blocksPerChecksum: number;
  readonly reseed: boolean;
  /** Byte offset in the image file of the first stored block. */
  readonly dataStart: number;
  /** Byte offset in the image file after the last strip. */
  readonly dataEnd: number;
}

export interface Layout {
  readonly geometry: Geometry;
  /** `null`: every block is present. */
  readonly bitmap: RankIndex | null;
  readonly map: MapFacts;
}

export type Description = Described<Header, Layout>;

/** Reads what stands before the data; the stream is left at the first stored block. */
export async function describe(stream: ByteStream, indexSize?: number): Promise<Description> {
  const header = await readHeader(stream);
  const findings =
    header.generation === 1 ? judge(v1HeaderRules, header) : judge(v2HeaderRules, header);
  const refusedHeader = refusing(findings);
  if (refusedHeader) return { header, findings, layout: null, refused: refusedHeader };

  const { map, bitmap } = await readMap(stream, header, indexSize);
  findings.push(...judge(header.generation === 1 ? v1MapRules : v2MapRules, map));
  const refusedMap = refusing(findings);
  if (refusedMap) return { header, findings, layout: null, refused: refusedMap };

  const geometry = await layOut(stream, header, map.population);
  const sizes = { ...geometry, fileSize: stream.size };
  findings.push(...judge(header.generation === 1 ? v1SizeRules : v2EndRules, sizes));
  return { header, layout: { geometry, bitmap, map }, findings };
}

/** Once the size is known of what was a stream. */
export function judgeSize(geometry: Geometry, fileSize: number): Finding[] {
  return judge(geometry.generation === 1 ? v1EndRules : v2EndRules, { ...geometry, fileSize });
}

async function readMap(stream: ByteStream, header: Header, indexSize: number | undefined) {
  const totalBlocks = Number(header.totalBlocks);
  const mapOffset = stream.position;
  const { facts, endMarkBytes } = await readMapBytes(stream, header, totalBlocks);
  const endOffset = stream.position;
  const endMark = new Uint8Array(endMarkBytes);
  const got = await stream.read(endMark);
  const bitmap = facts.words ? RankIndex.build(facts.words, totalBlocks, indexSize) : null;
  const littleEndian = header.generation === 1 || header.littleEndian;
  const map: MapFacts = {
    ...facts,
    mapOffset,
    endOffset,
    endMark: endMark.subarray(0, got),
    endMarkBytes,
    storedCrc: endMarkBytes === 4 ? new DataView(endMark.buffer).getUint32(0, littleEndian) : null,
    magicFits: endMarkBytes !== 8 || String.fromCharCode(...endMark) === BITMAGIC,
    population: bitmap ? bitmap.population : totalBlocks,
    headerUsed: header.generation === 1 ? header.usedBlocks : header.usedByBitmap,
  };
  return { map, bitmap };
}

async function readMapBytes(
  stream: ByteStream,
  header: Header,
  totalBlocks: number,
): Promise<{ facts: BitmapFacts; endMarkBytes: number }> {
  const mode = header.generation === 1 ? bitmapModes.bytes : header.bitmapMode;
  if (mode === bitmapModes.none) return { facts: noBitmap, endMarkBytes: 0 };
  if (mode === bitmapModes.bytes) {
    return { facts: await readByteMap(stream, totalBlocks), endMarkBytes: BITMAGIC.length };
  }
  const swap = header.generation === 2 && !header.littleEndian ? header.cpuBits / 8 : null;
  return { facts: await readBitMap(stream, totalBlocks, swap), endMarkBytes: 4 };
}

async function layOut(stream: ByteStream, header: Header, usedBlocks: number): Promise<Geometry> {
  const dataStart = stream.position;
  const sizes = {
    generation: header.generation,
    littleEndian: header.generation === 1 || header.littleEndian,
    blockSize: header.blockSize,
    totalBlocks: Number(header.totalBlocks),
    deviceSize: Number(header.deviceSize),
    usedBlocks,
    dataStart,
  };
  const checks =
    header.generation === 1
      ? {
          checksum: "CRC32" as const,
          checksumSize: await detectV1ChecksumSize(stream, header.blockSize, usedBlocks),
          blocksPerChecksum: 1,
          reseed: false,
        }
      : {
          checksum: checksumMode(header.checksumMode)?.name ?? ("NONE" as const),
          checksumSize: header.checksumSize,
          blocksPerChecksum: header.checksumSize === 0 ? Infinity : header.blocksPerChecksum,
          reseed: header.reseed !== 0,
        };
  const strips = Math.ceil(usedBlocks / checks.blocksPerChecksum);
  const dataEnd = dataStart + usedBlocks * header.blockSize + strips * checks.checksumSize;
  return { ...sizes, ...checks, dataEnd };
}
