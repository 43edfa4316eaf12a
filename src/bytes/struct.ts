/** One field of a record on disk: where it is and what it holds. */
export type Field =
  | { readonly at: number; readonly type: "u8" | "u16" | "u32" | "u64" | "i64" }
  | { readonly at: number; readonly type: "text" | "bytes"; readonly size: number };

export type Layout = Readonly<Record<string, Field>>;

/** What a field decodes to. 64-bit integers stay exact as bigint; `isExact` is the gate to numbers. */
type Value<T extends Field["type"]> = T extends "u64" | "i64"
  ? bigint
  : T extends "text"
    ? string
    : T extends "bytes"
      ? Uint8Array
      : number;

export type Decoded<L extends Layout> = { readonly [K in keyof L]: Value<L[K]["type"]> };

/** Decodes the record that begins at `bytes[0]`. */
export function decode<const L extends Layout>(
  layout: L,
  bytes: Uint8Array,
  littleEndian: boolean,
): Decoded<L> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const record: Record<string, Value<Field["type"]>> = {};
  for (const [name, field] of Object.entries(layout)) {
    record[name] = decodeField(field, view, littleEndian);
  }
  return record as Decoded<L>;
}

function decodeField(field: Field, view: DataView, littleEndian: boolean): Value<Field["type"]> {
  switch (field.type) {
    case "u8":
      return view.getUint8(field.at);
    case "u16":
      return view.getUint16(field.at, littleEndian);
    case "u32":
      return view.getUint32(field.at, littleEndian);
    case "u64":
      return view.getBigUint64(field.at, littleEndian);
    case "i64":
      return view.getBigInt64(field.at, littleEndian);
    case "bytes":
      return slice(view, field.at, field.size).slice();
    case "text":
      return text(slice(view, field.at, field.size));
  }
}

/** Text up to the first NUL, one character a byte: image headers hold ASCII, and damaged ones anything. */
function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

function slice(view: DataView, at: number, size: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + at, size);
}
