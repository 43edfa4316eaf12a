import { expect, test } from "bun:test";
import { READ_IN } from "../../src/fuse/abi.ts";
import { decode, nameOf } from "../../src/fuse/request.ts";
import { hex, nameBody, opcodeOf, parse, parsed, readBody, requestBytes } from "./requests.ts";

const READ_AS_SENT = hex(`
  50 00 00 00              | len 80
  0f 00 00 00              | opcode 15, READ
  1e 00 00 00 00 00 00 00  | unique 30
  02 00 00 00 00 00 00 00  | nodeid 2
  00 00 00 00 00 00 00 00  | uid, gid
  d2 04 00 00 00 00 00 00  | pid 1234, extensions, padding
  00 00 00 00 00 00 00 00  | fh
  00 10 00 00 02 00 00 00  | offset 2^33 + 4096
  00 00 08 00 00 00 00 00  | size 524288, read_flags
  00 00 00 00 00 00 00 00  | lock_owner
  00 c0 00 00 00 00 00 00  | flags O_DIRECT, padding`);

test("FUS-REQ-HEADER accepts a READ as the kernel sends it", () => {
  const request = parsed(READ_AS_SENT);
  expect(request.operation.name).toBe("READ");
  expect(request.unique).toBe(30n);
  expect(request.node).toBe(2);
  expect(decode(READ_IN, request)).toMatchObject({ offset: 2 ** 33 + 4096, size: 524288 });
});

test("FUS-REQ-HEADER accepts a unique that no number can hold", () => {
  const unique = 2n ** 64n - 1n;
  expect(parse(requestBytes(17, undefined, { unique })).unique).toBe(unique);
});

test("FUS-REQ-HEADER rejects less than a header without a reply, and a wrong length with one", () => {
  for (let length = 0; length < 40; length++) {
    const short = parse(READ_AS_SENT.subarray(0, length));
    expect(short).toMatchObject({ kind: "malformed", unique: null });
  }
  for (const length of [0, 79, 81, 2 ** 32 - 1]) {
    const bytes = requestBytes(15, readBody(0n, 4096), { length });
    expect(parse(bytes)).toMatchObject({ kind: "malformed", unique: 7n, unknown: false });
  }
});

test("FUS-REQ-BODY accepts a body longer than the struct we know", () => {
  const longer = new Uint8Array(48);
  longer.set(readBody(0n, 4096));
  expect(parse(requestBytes(15, longer)).kind).toBe("request");
});

test("FUS-REQ-BODY rejects a body that ends before its struct does", () => {
  for (const name of ["READ", "OPEN", "LSEEK", "GETATTR", "ACCESS", "INIT", "READDIR"]) {
    const bytes = requestBytes(opcodeOf(name), new Uint8Array(7));
    expect(parse(bytes)).toMatchObject({ kind: "malformed", unknown: false });
  }
});

test("FUS-REQ-NAME accepts the bytes from 40 to the NUL at the request's last one", () => {
  const request = parsed(requestBytes(1, nameBody("sda1.img"), { node: 1n }));
  expect(Buffer.from(nameOf(request)).toString()).toBe("sda1.img");
});

test("FUS-REQ-NAME rejects a name that is empty, has no NUL at its end, or one before it", () => {
  for (const body of ["", "\0", "sda1", "sd\0a1\0", "sda1\0\0"]) {
    const request = parse(requestBytes(1, Buffer.from(body)));
    expect(request).toMatchObject({ kind: "malformed", unique: 7n });
  }
});

test("FUS-REQ-UNKNOWN accepts every operation up to STATX", () => {
  for (const name of ["LOOKUP", "FORGET", "LSEEK", "BATCH_FORGET", "STATX"]) {
    const body = name === "LOOKUP" ? nameBody("a") : new Uint8Array(64);
    expect(parsed(requestBytes(opcodeOf(name), body)).operation.name).toBe(name);
  }
});

test("FUS-REQ-UNKNOWN rejects an operation it has no row for, as unknown and not as wrong", () => {
  for (const opcode of [0, 7, 19, 53, 4096, 2 ** 32 - 1]) {
    const request = parse(requestBytes(opcode));
    expect(request).toMatchObject({ kind: "malformed", unique: 7n, unknown: true });
  }
});
