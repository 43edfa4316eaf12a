import type { ByteOrder } from "./fixture.ts";

/** One field of a header: `[offset, size]`; text is padded with NUL. */
export type Field = readonly [offset: number, size: number];
export type Struct = Readonly<Record<string, Field>>;
export type Values<S extends Struct> = Readonly<Partial<Record<keyof S, string | number | bigint>>>;

function putText(into: Uint8Array, text: string): void {
  into.fill(0);
  new TextEncoder().encodeInto(text, into);
}

function putInteger(into: Uint8Array, value: number | bigint, order: ByteOrder): void {
  let rest = BigInt.asUintN(8 * into.length, BigInt(value));
  for (let byte = 0; byte < into.length; byte++) {
    into[order === "little" ? byte : into.length - 1 - byte] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}

/** Writes the named fields, leaving all other bytes as they are. */
export function put<S extends Struct>(
  into: Uint8Array,
  struct: S,
  values: Values<S>,
  order: ByteOrder,
): void {
  for (const [name, value] of Object.entries(values)) {
    const field = struct[name];
    if (field === undefined || value === undefined) continue;
    const [offset, size] = field;
    const bytes = into.subarray(offset, offset + size);
    if (typeof value === "string") putText(bytes, value);
    else putInteger(bytes, value, order);
  }
}
