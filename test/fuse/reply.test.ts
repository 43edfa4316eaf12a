import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  ATTR_OUT,
  EIO,
  ENTRY_OUT,
  INIT_OUT,
  LSEEK_OUT,
  OPEN_OUT,
  OPERATIONS,
  STATFS_OUT,
} from "../../src/fuse/abi.ts";
import { ReplyBuffer } from "../../src/fuse/reply.ts";
import { hex } from "./requests.ts";

/** The bytes a reply would be written as. */
function written(reply: ReplyBuffer, length: number): Uint8Array {
  return reply.bytes.slice(reply.start, reply.start + length);
}

test("FUS-REPLY-LENGTH accepts an LSEEK reply, byte by byte", () => {
  const reply = new ReplyBuffer(4096);
  const payload = reply.put(LSEEK_OUT, { offset: 2 ** 40 + 65536 });
  expect(written(reply, reply.finish(30n, payload))).toEqual(
    hex(`
      18 00 00 00              | len 24
      00 00 00 00              | error 0
      1e 00 00 00 00 00 00 00  | unique 30
      00 00 01 00 00 01 00 00  | offset 2^40 + 65536`),
  );
});

test("FUS-REPLY-LENGTH accepts the sizes that the kernel expects of each struct", () => {
  const sizes = [INIT_OUT, ENTRY_OUT, ATTR_OUT, OPEN_OUT, STATFS_OUT, LSEEK_OUT].map(
    (s) => s.size + 16,
  );
  expect(sizes).toEqual([80, 144, 120, 32, 96, 24]);
});

test("FUS-REPLY-LENGTH rejects a payload beside an error: 16 bytes, whatever was in the buffer", () => {
  const reply = new ReplyBuffer(4096);
  reply.payload.fill(0xff);
  expect(written(reply, reply.finish(30n, EIO))).toEqual(
    hex(`
      10 00 00 00              | len 16
      fb ff ff ff              | error -5
      1e 00 00 00 00 00 00 00  | unique 30`),
  );
});

test("FUS-REPLY-ERROR accepts only errors between -511 and -1 in the table of operations", () => {
  for (const { answer } of OPERATIONS) {
    if (typeof answer === "string") continue;
    expect(answer.number).toBeGreaterThan(0);
    expect(answer.number).toBeLessThan(512);
  }
});

test("FUS-REPLY-ERROR rejects a positive error: every errno is written negative", () => {
  const reply = new ReplyBuffer(16);
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 511 }),
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      (number, unique) => {
        const bytes = written(reply, reply.finish(unique, { name: "E", number }));
        const view = new DataView(bytes.buffer);
        expect([view.getUint32(0, true), view.getInt32(4, true)]).toEqual([16, -number]);
        expect(view.getBigUint64(8, true)).toBe(unique);
      },
    ),
  );
});

test("the payload begins on a page", () => {
  for (const size of [16, 4096, 524288]) {
    const reply = new ReplyBuffer(size);
    expect(ptr(reply.payload) % 65536).toBe(0);
    expect(reply.bytes.byteOffset + reply.start + 16).toBe(reply.payload.byteOffset);
  }
});

test("fields that are not named are zeros, also in a buffer used before", () => {
  const reply = new ReplyBuffer(4096);
  reply.payload.fill(0xff);
  expect(reply.put(INIT_OUT, { major: 7 })).toBe(64);
  expect(reply.payload.subarray(1, 64).every((byte) => byte === 0)).toBe(true);
});

test("times before 1970 and sizes beyond 32 bits keep their value", () => {
  const reply = new ReplyBuffer(4096);
  reply.put(ATTR_OUT, { mtime: -2, size: 2 ** 52 + 1 });
  const view = new DataView(reply.payload.buffer, reply.payload.byteOffset);
  expect(view.getBigInt64(48, true)).toBe(-2n);
  expect(view.getBigUint64(24, true)).toBe(2n ** 52n + 1n);
});
