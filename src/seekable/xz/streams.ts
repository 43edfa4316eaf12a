import { crc32 } from "node:zlib";
import { viewOf } from "../../bytes/view.ts";
import type { ByteSource } from "../../source/source.ts";
import { beyondRandomAccess, corrupt } from "../damage.ts";
import type { Unit } from "../units.ts";
import { numbersIn } from "./variable.ts";

/** The .xz file format 1.2.1, 2.1: a stream's header, blocks, index and footer. */
const HEADER_SIZE = 12;
const FOOTER_SIZE = 12;
/** The magic number, and a zero before the number of the check. */
const HEADER_START = "fd377a585a0000";
const FOOTER_MAGIC = 0x5a59;
/** A stream of 100,000 blocks has one of a megabyte. */
const MAX_INDEX = 2 ** 28;
/** Padding behind a stream is looked for in steps of this size. */
const STEP = 4096;

/** The blocks of all streams, from their indexes; a unit's `kind` is its stream's check. */
export async function listBlocks(source: ByteSource): Promise<Unit[]> {
  const streams: Unit[][] = [];
  for (let end = source.size; end > 0 || streams.length === 0; ) {
    const stream = await readStream(source, await withoutPadding(source, end));
    streams.unshift(stream.blocks);
    end = stream.at;
  }
  return streams.flat();
}

async function withoutPadding(source: ByteSource, from: number): Promise<number> {
  let end = from;
  for (;;) {
    const bytes = await bytesAt(source, Math.max(0, end - STEP), end);
    const last = bytes.findLastIndex((byte) => byte !== 0);
    end -= bytes.length - 1 - last;
    if (last < 0 && end > 0) continue;
    // Padding is a multiple of four zeros, and a footer ends with no zero.
    if ((from - end) % 4 !== 0) throw endsEarly(source, end);
    return end;
  }
}

/** The stream that ends before byte `end`. */
async function readStream(source: ByteSource, end: number) {
  if (end < HEADER_SIZE + FOOTER_SIZE) throw endsEarly(source, end);
  const footer = await bytesAt(source, end - FOOTER_SIZE, end);
  const fields = viewOf(footer);
  if (fields.getUint16(10, true) !== FOOTER_MAGIC) throw endsEarly(source, end);
  if (fields.getUint32(0, true) !== crc32(footer.subarray(4, 10))) throw invalid(source, end);
  const indexSize = (fields.getUint32(4, true) + 1) * 4;
  const indexAt = end - FOOTER_SIZE - indexSize;
  if (indexAt < HEADER_SIZE) throw invalid(source, end);
  if (indexSize > MAX_INDEX) throw beyondRandomAccess(source, "xz", "it has too many blocks");
  const records = readIndex(source, indexAt, await bytesAt(source, indexAt, end - FOOTER_SIZE));
  const at = indexAt - records.reduce((sum, { size }) => sum + padded(size), 0) - HEADER_SIZE;
  if (at < 0) throw invalid(source, indexAt);
  const header = await bytesAt(source, at, at + HEADER_SIZE);
  const isHeader =
    header.subarray(0, 7).toHex() === HEADER_START &&
    viewOf(header).getUint32(8, true) === crc32(header.subarray(6, 8)) &&
    Buffer.compare(header.subarray(6, 8), footer.subarray(8, 10)) === 0;
  if (!isHeader) throw invalid(source, at);
  const kind = header[7] as number;
  return { at, blocks: placed(records, at + HEADER_SIZE, kind) };
}

function placed(records: readonly Pick<Unit, "size" | "length">[], at: number, kind: number) {
  let next = at;
  return records.map((record) => {
    const unit: Unit = { ...record, at: next, kind };
    next += padded(record.size);
    return unit;
  });
}

/** 4: a zero, the number of records, the records, zeros up to a multiple of four, CRC-32. */
function readIndex(source: ByteSource, at: number, bytes: Uint8Array) {
  const body = bytes.subarray(0, -4);
  const crc = viewOf(bytes).getUint32(body.length, true);
  if (bytes[0] !== 0 || crc !== crc32(body)) throw invalid(source, at);
  const [count = 0, ...sizes] = numbersIn(body.subarray(1));
  // The padding reads as up to three more numbers.
  if (sizes.length < 2 * count || sizes.length > 2 * count + 3) throw invalid(source, at);
  return Array.from({ length: count }, (_, index) => ({
    size: sizes[2 * index] as number,
    length: sizes[2 * index + 1] as number,
  }));
}

/** A block is followed by zeros up to a multiple of four bytes. */
export function padded(size: number): number {
  return Math.ceil(size / 4) * 4;
}

async function bytesAt(source: ByteSource, from: number, to: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(to - from);
  await source.read(bytes, from);
  return bytes;
}

function invalid(source: ByteSource, at: number) {
  return corrupt(source, "xz", at, "the index of its blocks is invalid");
}

function endsEarly(source: ByteSource, at: number) {
  return corrupt(source, "xz", at, "the file does not end as an xz stream does");
}
