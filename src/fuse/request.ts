import { type Field, IN_HEADER, OPERATIONS, type Operation, type Struct } from "./abi.ts";

/** A request of the kernel, in the bytes it came in: valid until the next one is read there. */
export interface Request {
  readonly kind: "request";
  readonly unique: bigint;
  readonly node: number;
  readonly operation: Operation;
  readonly length: number;
  /** Over the whole buffer, which is longer. */
  readonly view: DataView;
}

/** Bytes that are no request we can serve; `unique` is null where even a reply is impossible. */
export interface Malformed {
  readonly kind: "malformed";
  readonly unique: bigint | null;
  readonly why: string;
  /** FUS-REQ-UNKNOWN: not the request is wrong, we are too old for it. */
  readonly unknown: boolean;
}

const BY_OPCODE: ReadonlyMap<number, Operation> = new Map(OPERATIONS.map((o) => [o.opcode, o]));
const HIGH_WORD = 2 ** 32;

/**
 * A 64-bit field as a number. Past 2^53 it is rounded, never to below 2^53: beyond the end of every
 * file we serve, which is all that READ and LSEEK need to know of it.
 */
function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * HIGH_WORD + view.getUint32(at, true);
}

function value(view: DataView, at: number, kind: Field["kind"]): number {
  switch (kind) {
    case "u16":
      return view.getUint16(at, true);
    case "u32":
      return view.getUint32(at, true);
    case "i32":
      return view.getInt32(at, true);
    case "i64":
      return Number(view.getBigInt64(at, true));
    case "u64":
      return u64(view, at);
  }
}

/** A field of the operation's body, which FUS-REQ-BODY has found long enough. */
export function argument(request: Request, field: Field): number {
  return value(request.view, IN_HEADER.size + field.at, field.kind);
}

/** The thread that waits for the reply, where it can be seen from here. */
export const clientOf = (view: DataView): number => view.getUint32(IN_HEADER.field.pid.at, true);

/** All fields of the body. */
export function decode<F extends string>(struct: Struct<F>, request: Request): Record<F, number> {
  const fields: Partial<Record<F, number>> = {};
  for (const field of struct.fields) fields[field.name] = argument(request, field);
  return fields as Record<F, number>;
}

/** FUS-REQ-NAME: the bytes of the operation's name. */
export function nameOf({ view, length }: Request): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + IN_HEADER.size, length - IN_HEADER.size - 1);
}

const malformed = (unique: bigint | null, why: string, unknown = false): Malformed => ({
  kind: "malformed",
  unique,
  why,
  unknown,
});

/** FUS-REQ-NAME: from the header's end to one byte before the request's, which is a NUL. */
function hasName(view: DataView, length: number): boolean {
  const end = length - 1;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, length);
  return end > IN_HEADER.size && bytes.indexOf(0, IN_HEADER.size) === end;
}

/** What a read of `length` bytes gave; `view` may go on behind them. Never throws. */
export function parseRequest(view: DataView, length: number): Request | Malformed {
  if (length < IN_HEADER.size) {
    return malformed(null, `${length} bytes are less than a request header`);
  }
  const { len, opcode, unique, nodeid } = IN_HEADER.field;
  // `unique` needs all of its 64 bits.
  const id = view.getBigUint64(unique.at, true);
  const stated = view.getUint32(len.at, true);
  if (stated !== length) return malformed(id, `length field ${stated}, ${length} bytes came`);
  const number = view.getUint32(opcode.at, true);
  const operation = BY_OPCODE.get(number);
  if (operation === undefined) return malformed(id, `unknown operation ${number}`, true);
  const bodyLength = length - IN_HEADER.size;
  if (operation.body !== null && bodyLength < operation.body.size) {
    return malformed(id, `${operation.name} with a body of ${bodyLength} bytes`);
  }
  if (operation.named && !hasName(view, length)) {
    return malformed(id, `${operation.name} without a proper name`);
  }
  return { kind: "request", unique: id, node: u64(view, nodeid.at), operation, length, view };
}
