import type { Walked } from "./description.ts";
import type { Extents } from "./extents.ts";

/** Changes with everything that is stored, or that a walk takes for granted. */
const VERSION = "vpartclone ntfsclone walk 1";
/** Before the text: its length, and the checksum of all that follows the checksum. */
const CHECKSUM_AT = 8;
const TEXT_AT = 16;
const FIELDS = 3;
const NUMBER_BYTES = 8;

type Counts = Walked["counts"];

/** `key`, the version and the counts as text, as JSON has no bytes; then the extents' columns. */
export function encodeWalked({ extents, counts }: Walked, key: string): Uint8Array {
  const bytes = (value: Uint8Array | null) => value && Buffer.from(value).toString("base64");
  const { boot, backupBoot, ...numbers } = counts;
  const stored = { ...numbers, boot: bytes(boot), backupBoot: bytes(backupBoot) };
  const length = extents.starts.length;
  const text = new TextEncoder().encode(JSON.stringify([VERSION, key, stored, length]));
  const columnsAt = columnsAfter(text.length);
  const file = new Uint8Array(columnsAt + FIELDS * length * NUMBER_BYTES);
  const view = new DataView(file.buffer);
  view.setUint32(0, text.length, true);
  file.set(text, TEXT_AT);
  columnsOf(file, columnsAt, length).forEach((column, field) => {
    column.set([extents.starts, extents.counts, extents.imageOffsets][field] ?? []);
  });
  view.setBigUint64(CHECKSUM_AT, checksumOf(file), true);
  return file;
}

/** What was encoded under the same key by the same version; null: anything else. */
export function decodeWalked(bytes: Uint8Array, key: string): Walked | null {
  // A copy begins where 64-bit numbers may.
  const file = Uint8Array.from(bytes);
  if (file.length < TEXT_AT) return null;
  const view = new DataView(file.buffer);
  if (view.getBigUint64(CHECKSUM_AT, true) !== checksumOf(file)) return null;
  const textLength = view.getUint32(0, true);
  const text = new TextDecoder().decode(file.subarray(TEXT_AT, TEXT_AT + textLength));
  const [version, storedKey, stored, length] = JSON.parse(text) as [
    string,
    string,
    Omit<Counts, "boot" | "backupBoot"> & Record<"boot" | "backupBoot", string | null>,
    number,
  ];
  if (version !== VERSION || storedKey !== key) return null;
  const columnsAt = columnsAfter(textLength);
  if (file.length !== columnsAt + FIELDS * length * NUMBER_BYTES) return null;
  const bytesOf = (value: string | null) =>
    value === null ? null : Uint8Array.from(Buffer.from(value, "base64"));
  const counts = { ...stored, boot: bytesOf(stored.boot), backupBoot: bytesOf(stored.backupBoot) };
  return { extents: sharedExtents(columnsOf(file, columnsAt, length)), counts };
}

const columnsAfter = (textLength: number): number =>
  Math.ceil((TEXT_AT + textLength) / NUMBER_BYTES) * NUMBER_BYTES;

function columnsOf(file: Uint8Array, columnsAt: number, length: number): Float64Array[] {
  const at = (field: number) => columnsAt + field * length * NUMBER_BYTES;
  return [0, 1, 2].map((field) => new Float64Array(file.buffer, at(field), length));
}

/** In memory that threads share. */
function sharedExtents(columns: readonly Float64Array[]): Extents {
  const [starts, counts, imageOffsets] = columns.map((column) => {
    const shared = new Float64Array(new SharedArrayBuffer(column.byteLength));
    shared.set(column);
    return shared;
  }) as [Float64Array, Float64Array, Float64Array];
  return { starts, counts, imageOffsets };
}

/** Against damage only: whoever can write the file is its owner. */
function checksumOf(file: Uint8Array): bigint {
  const length = new DataView(file.buffer).getUint32(0, true);
  return Bun.hash.xxHash64(file.subarray(TEXT_AT), BigInt(length));
}
