import { expect, test } from "bun:test";
import { EPROTO, INIT_IN, INIT_OUT } from "../../src/fuse/abi.ts";
import { negotiate } from "../../src/fuse/init.ts";
import { ReplyBuffer } from "../../src/fuse/reply.ts";
import { initBody, parsed, requestBytes } from "./requests.ts";

const ALL = 2 ** 32 - 1;

function init(major: number, minor: number, flags: number) {
  const reply = new ReplyBuffer(4096);
  const { outcome, agreed } = negotiate(
    parsed(requestBytes(26, initBody(major, minor, flags), { node: 0n })),
    reply,
  );
  const view = new DataView(reply.payload.buffer, reply.payload.byteOffset, 64);
  return { outcome, agreed, view };
}

test("FUS-INIT-VERSION accepts 7.23 and later, and answers in 7.38 at most", () => {
  for (const [minor, answered] of [
    [23, 23],
    [31, 31],
    [38, 38],
    [45, 38],
  ] as const) {
    const { outcome, view } = init(7, minor, ALL);
    expect(outcome).toBe(INIT_OUT.size);
    expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([7, answered]);
  }
});

test("FUS-INIT-VERSION accepts a newer major by naming its own, for the kernel to ask again", () => {
  const { outcome, view } = init(8, 0, ALL);
  expect(outcome).toBe(INIT_OUT.size);
  expect(view.getUint32(0, true)).toBe(7);
  expect(view.getUint32(12, true)).toBe(0);
});

test("FUS-INIT-VERSION rejects kernels whose structs have other sizes", () => {
  for (const [major, minor] of [
    [7, 22],
    [7, 8],
    [6, 1],
    [0, 0],
  ] as const) {
    expect(init(major, minor, ALL).outcome).toBe(EPROTO);
  }
});

test("FUS-INIT-FLAGS accepts async reads, async direct I/O, parallel lookups and max_pages", () => {
  const wanted = 2 ** 0 + 2 ** 15 + 2 ** 18 + 2 ** 22;
  expect(init(7, 45, ALL).view.getUint32(12, true)).toBe(wanted);
  expect(init(7, 45, 0x73fffffb).view.getUint32(12, true)).toBe(wanted);
});

test("FUS-INIT-FLAGS rejects what the kernel does not offer", () => {
  expect(init(7, 45, 0).view.getUint32(12, true)).toBe(0);
  expect(init(7, 45, 2 ** 15).view.getUint32(12, true)).toBe(2 ** 15);
  expect(init(7, 45, 2 ** 31 + 2 ** 14 + 2 ** 16).view.getUint32(12, true)).toBe(0);
});

test("FUS-INIT-LIMITS accepts 128 pages a request, 4 KiB of writes, readahead as offered", () => {
  const { view } = init(7, 45, ALL);
  expect(view.getUint32(8, true)).toBe(131072);
  expect(view.getUint16(16, true)).toBe(64);
  expect(view.getUint32(20, true)).toBe(4096);
  expect(view.getUint16(28, true)).toBe(128);
});

test("FUS-INIT-LIMITS rejects a readahead above 8 MiB", () => {
  const body = initBody(7, 45, ALL);
  new DataView(body.buffer).setUint32(8, ALL, true);
  const reply = new ReplyBuffer(4096);
  expect(INIT_IN.size).toBe(16);
  expect(negotiate(parsed(requestBytes(26, body)), reply).agreed.maxReadahead).toBe(8 * 2 ** 20);
});
