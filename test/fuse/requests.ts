import { OPERATIONS } from "../../src/fuse/abi.ts";
import { type Malformed, parseRequest, type Request } from "../../src/fuse/request.ts";

const HEADER = 40;

/** Bytes from text such as `01 00 00 00`; words in other letters are notes, and skipped. */
export function hex(transcript: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of transcript.split("\n")) {
    const [data = ""] = line.split("|");
    for (const word of data.trim().split(/\s+/)) {
      if (word !== "") bytes.push(Number.parseInt(word, 16));
    }
  }
  return Uint8Array.from(bytes);
}

export const opcodeOf = (name: string): number =>
  OPERATIONS.find((operation) => operation.name === name)?.opcode ?? Number.NaN;

/** A request written field by field, without the code under test. */
export function requestBytes(
  opcode: number,
  body: Uint8Array = new Uint8Array(0),
  { unique = 7n, node = 2n, pid = 0, length = HEADER + body.length } = {},
): Uint8Array {
  const bytes = new Uint8Array(HEADER + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, true);
  view.setUint32(4, opcode, true);
  view.setBigUint64(8, unique, true);
  view.setBigUint64(16, node, true);
  view.setUint32(32, pid, true);
  bytes.set(body, HEADER);
  return bytes;
}

/** u64s and u32s one after the other: a bigint is the former, a number the latter. */
export function words(...values: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum: number, v) => sum + widthOf(v), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const value of values) {
    if (typeof value === "bigint") view.setBigUint64(at, value, true);
    else view.setUint32(at, value, true);
    at += widthOf(value);
  }
  return bytes;
}

const widthOf = (value: number | bigint): number => (typeof value === "bigint" ? 8 : 4);

export const readBody = (offset: bigint, size: number): Uint8Array =>
  words(0n, offset, size, 0, 0n, 0, 0);
export const lseekBody = (offset: bigint, whence: number): Uint8Array =>
  words(0n, offset, whence, 0);
export const nameBody = (name: string): Uint8Array => Buffer.from(`${name}\0`);
export const initBody = (major: number, minor: number, flags: number): Uint8Array =>
  words(major, minor, 131072, flags, 0);

export const parse = (bytes: Uint8Array): Request | Malformed =>
  parseRequest(new DataView(bytes.buffer, bytes.byteOffset), bytes.length);

/** The request these bytes are; the test fails where they are none. */
export function parsed(bytes: Uint8Array): Request {
  const request = parse(bytes);
  if (request.kind === "malformed") throw new Error(request.why);
  return request;
}
