import { IN_HEADER, OPERATIONS, type Operation, type Struct } from "./abi.ts";

/** A request of the kernel, its body still in the bytes it came in. */
export interface Request {
  readonly kind: "request";
  readonly unique: bigint;
  readonly node: number;
  readonly operation: Operation;
  /** FUS-REQ-NAME: empty where the operation takes none. */
  readonly name: Uint8Array;
  /** The body, as long as the header says. */
  readonly body: DataView;
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
const NO_NAME = new Uint8Array(0);
const HIGH_WORD = 2 ** 32;

/**
 * A 64-bit field as a number. Past 2^53 it is rounded, never to below 2^53: beyond the end of every
 * file we serve, which is all that READ and LSEEK need to know of it.
 */
function u64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * HIGH_WORD + view.getUint32(at, true);
}

function field(view: DataView, at: number, kind: Struct["fields"][number]["kind"]): number {
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

/** The fields of `struct` at the start of `view`, which FUS-REQ-BODY has found long enough. */
export function decode<F extends string>(struct: Struct<F>, view: DataView): Record<F, number> {
  const fields: Partial<Record<F, number>> = {};
  for (const { name, kind, at } of struct.fields) fields[name] = field(view, at, kind);
  return fields as Record<F, number>;
}

const malformed = (unique: bigint | null, why: string, unknown = false): Malformed => ({
  kind: "malformed",
  unique,
  why,
  unknown,
});

/** FUS-REQ-NAME: from the header's end to one byte before the request's, which is a NUL. */
function nameIn(bytes: Uint8Array): Uint8Array | null {
  const end = bytes.length - 1;
  return end > IN_HEADER.size && bytes.indexOf(0, IN_HEADER.size) === end
    ? bytes.subarray(IN_HEADER.size, end)
    : null;
}

/** What one read of the device gave. Never throws, whatever the bytes. */
export function parseRequest(bytes: Uint8Array): Request | Malformed {
  if (bytes.length < IN_HEADER.size) {
    return malformed(null, `${bytes.length} bytes are less than a request header`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  // 4, 8, 16: opcode, unique, nodeid in IN_HEADER; read apart because `unique` needs all 64 bits.
  const opcode = view.getUint32(4, true);
  const unique = view.getBigUint64(8, true);
  if (view.getUint32(0, true) !== bytes.length) {
    return malformed(unique, `length field ${view.getUint32(0, true)}, ${bytes.length} bytes came`);
  }
  const operation = BY_OPCODE.get(opcode);
  if (operation === undefined) return malformed(unique, `unknown operation ${opcode}`, true);
  const bodyLength = bytes.length - IN_HEADER.size;
  if (operation.body !== null && bodyLength < operation.body.size) {
    return malformed(unique, `${operation.name} with a body of ${bodyLength} bytes`);
  }
  const name = operation.named ? nameIn(bytes) : NO_NAME;
  if (name === null) return malformed(unique, `${operation.name} without a proper name`);
  const body = new DataView(bytes.buffer, bytes.byteOffset + IN_HEADER.size, bodyLength);
  return { kind: "request", unique, node: u64(view, 16), operation, name, body };
}
