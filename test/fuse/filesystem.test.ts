import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  EACCES,
  EINVAL,
  EIO,
  EISDIR,
  ENOENT,
  ENOTDIR,
  ENXIO,
  EROFS,
  MAX_READ,
  OPERATIONS,
} from "../../src/fuse/abi.ts";
import { answer } from "../../src/fuse/filesystem.ts";
import { ReplyBuffer } from "../../src/fuse/reply.ts";
import type { ServedFile } from "../../src/fuse/served-file.ts";
import { type Pattern, patternBytes, patternFile } from "./pattern.ts";
import {
  lseekBody,
  nameBody,
  opcodeOf,
  parsed,
  readBody,
  requestBytes,
  words,
} from "./requests.ts";

const PATTERN: Pattern = { name: "sda1.img", size: 1_000_003, holes: [[131072, 655360]] };
const FILE = patternFile(PATTERN);
const ROOT = 1n;
const THE_FILE = 2n;

async function ask(
  name: string,
  node: bigint,
  body: Uint8Array = new Uint8Array(64),
  file: ServedFile = FILE,
) {
  const reply = new ReplyBuffer(MAX_READ);
  reply.payload.fill(0xee);
  const outcome = await answer([file], parsed(requestBytes(opcodeOf(name), body, { node })), reply);
  const bytes = reply.payload.slice(0, typeof outcome === "number" ? outcome : 0);
  return { outcome, bytes, view: new DataView(bytes.buffer) };
}

const read = (offset: bigint, size: number, file?: ServedFile) =>
  ask("READ", THE_FILE, readBody(offset, size), file);

test("FUS-FORGET-SILENT accepts silence on FORGET, BATCH_FORGET and NOTIFY_REPLY", async () => {
  for (const name of ["FORGET", "BATCH_FORGET", "NOTIFY_REPLY"]) {
    expect((await ask(name, THE_FILE)).outcome).toBeNull();
  }
});

test("FUS-FORGET-SILENT rejects silence on everything else", async () => {
  const silent = new Set(["FORGET", "BATCH_FORGET", "NOTIFY_REPLY", "INIT"]);
  for (const { name, named } of OPERATIONS) {
    if (silent.has(name)) continue;
    const body = named ? nameBody("x") : new Uint8Array(64);
    expect((await ask(name, ROOT, body)).outcome).not.toBeNull();
  }
});

test("FUS-READ-FULL accepts every range: all that was asked for, up to the file's end", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(1_100_000), fc.nat(MAX_READ), async (offset, size) => {
      const { bytes } = await read(BigInt(offset), size);
      const end = Math.min(offset + size, PATTERN.size);
      expect(bytes.length).toBe(Math.max(0, end - offset));
      expect(Buffer.compare(bytes, patternBytes(PATTERN, offset, bytes.length))).toBe(0);
    }),
    { numRuns: 60 },
  );
  expect((await read(2n ** 63n - 1n, 4096)).outcome).toBe(0);
});

test("FUS-READ-FULL rejects a file that gives less than it has, and a read beyond the limit", async () => {
  const short: ServedFile = { ...FILE, read: async (into) => into.length - 1 };
  expect((await read(0n, 4096, short)).outcome).toBe(EIO);
  expect((await read(0n, MAX_READ + 1)).outcome).toBe(EINVAL);
  expect((await read(0n, 2 ** 32 - 1)).outcome).toBe(EINVAL);
  expect((await ask("READ", ROOT, readBody(0n, 4096))).outcome).toBe(EISDIR);
});

test("FUS-LSEEK accepts data and holes, and the end of the file as a hole", async () => {
  const seek = async (offset: number, whence: number) =>
    Number(
      (await ask("LSEEK", THE_FILE, lseekBody(BigInt(offset), whence))).view.getBigUint64(0, true),
    );
  expect(await seek(0, 3)).toBe(0);
  expect(await seek(0, 4)).toBe(131072);
  expect(await seek(131072, 3)).toBe(655360);
  expect(await seek(200000, 4)).toBe(200000);
  expect(await seek(655360, 4)).toBe(PATTERN.size);
});

test("FUS-LSEEK rejects offsets past the last byte or the last data, other whences, directories", async () => {
  const outcome = async (offset: bigint, whence: number, node = THE_FILE, file = FILE) =>
    (await ask("LSEEK", node, lseekBody(offset, whence), file)).outcome;
  const size = BigInt(PATTERN.size);
  expect(await outcome(size, 3)).toBe(ENXIO);
  expect(await outcome(size, 4)).toBe(ENXIO);
  expect(await outcome(2n ** 64n - 1n, 3)).toBe(ENXIO);
  expect(await outcome(0n, 3, THE_FILE, { ...FILE, nextData: () => null })).toBe(ENXIO);
  for (const whence of [0, 1, 2, 5]) expect(await outcome(0n, whence)).toBe(EINVAL);
  expect(await outcome(0n, 3, ROOT)).toBe(EINVAL);
});

test("FUS-ATTR accepts size, stored blocks, owner, read bits and times to the nanosecond", async () => {
  const { view } = await ask("GETATTR", THE_FILE, undefined, {
    ...FILE,
    mode: 0o100640,
    uid: 7,
    gid: 8,
  });
  const attr = new DataView(view.buffer, 16);
  expect(attr.getBigUint64(0, true)).toBe(2n);
  expect(attr.getBigUint64(8, true)).toBe(BigInt(PATTERN.size));
  expect(attr.getBigUint64(16, true)).toBe(BigInt(Math.ceil((PATTERN.size - 524288) / 512)));
  expect(attr.getBigInt64(24, true)).toBe(1_600_000_000n);
  expect(attr.getUint32(48, true)).toBe(123_456_789);
  expect([attr.getBigInt64(40, true), attr.getUint32(56, true)]).toEqual([-1n, 999_999_999]);
  expect(attr.getUint32(60, true)).toBe(0o100440);
  expect([attr.getUint32(64, true), attr.getUint32(68, true), attr.getUint32(72, true)]).toEqual([
    1, 7, 8,
  ]);
  expect(attr.getUint32(80, true)).toBe(4096);
});

test("FUS-ATTR rejects write and execute bits, set-id bits, and nodes that do not exist", async () => {
  const { view } = await ask("GETATTR", THE_FILE, undefined, { ...FILE, mode: 0o107777 });
  expect(view.getUint32(16 + 60, true)).toBe(0o100444);
  const root = await ask("GETATTR", ROOT, undefined, { ...FILE, mode: 0o600 });
  expect(root.view.getUint32(16 + 60, true)).toBe(0o40555);
  expect((await ask("GETATTR", 3n)).outcome).toBe(ENOENT);
});

test("FUS-CACHE accepts an hour for names and attributes, and keeps the page cache on open", async () => {
  const { view, outcome } = await ask("LOOKUP", ROOT, nameBody("sda1.img"));
  expect(outcome).toBe(128);
  expect([view.getBigUint64(16, true), view.getBigUint64(24, true)]).toEqual([3600n, 3600n]);
  expect((await ask("OPEN", THE_FILE, words(0, 0))).view.getUint32(8, true)).toBe(2);
});

test("FUS-CACHE rejects an answer to remember for a name that is not there", async () => {
  for (const name of ["sda1.im", "sda1.img2", ".", "..", "SDA1.IMG"]) {
    expect((await ask("LOOKUP", ROOT, nameBody(name))).outcome).toBe(ENOENT);
  }
  expect((await ask("LOOKUP", THE_FILE, nameBody("sda1.img"))).outcome).toBe(ENOTDIR);
});

/** Names and cookies of a READDIR reply. */
function entries(view: DataView): { name: string; next: number; size: number }[] {
  const found = [];
  for (let at = 0; at < view.byteLength; ) {
    const length = view.getUint32(at + 16, true);
    const size = Math.ceil((24 + length) / 8) * 8;
    const name = Buffer.from(view.buffer, at + 24, length).toString();
    const padding = Buffer.from(view.buffer, at + 24 + length, size - 24 - length);
    expect(padding.every((byte) => byte === 0)).toBe(true);
    found.push({ name, next: Number(view.getBigUint64(at + 8, true)), size });
    at += size;
  }
  return found;
}

test("FUS-DIRENT accepts three entries, from any cookie, for names of every length", async () => {
  for (let length = 1; length <= 255; length++) {
    const name = "n".repeat(length);
    const { view } = await ask("READDIR", ROOT, readBody(0n, 4096), { ...FILE, name });
    expect(entries(view).map((entry) => entry.name)).toEqual([".", "..", name]);
  }
  const { view } = await ask("READDIR", ROOT, readBody(2n, 4096));
  expect(entries(view)).toEqual([{ name: "sda1.img", next: 3, size: 32 }]);
});

test("FUS-DIRENT rejects half an entry, and anything after the last", async () => {
  expect(entries((await ask("READDIR", ROOT, readBody(0n, 95))).view).length).toBe(2);
  expect(entries((await ask("READDIR", ROOT, readBody(0n, 96))).view).length).toBe(3);
  for (const cookie of [3n, 4n, 2n ** 63n]) {
    expect((await ask("READDIR", ROOT, readBody(cookie, 4096))).outcome).toBe(0);
  }
  expect((await ask("READDIR", THE_FILE, readBody(0n, 4096))).outcome).toBe(ENOTDIR);
});

test("FUS-READ-ONLY accepts opening and testing for reading", async () => {
  expect((await ask("OPEN", THE_FILE, words(0, 0))).outcome).toBe(16);
  expect((await ask("ACCESS", THE_FILE, words(4, 0))).outcome).toBe(0);
  expect((await ask("ACCESS", ROOT, words(5, 0))).outcome).toBe(0);
  expect((await ask("OPENDIR", ROOT)).outcome).toBe(16);
});

test("FUS-READ-ONLY rejects whatever would change something, with EROFS", async () => {
  const changing = ["SETATTR", "MKNOD", "MKDIR", "UNLINK", "RMDIR", "RENAME", "LINK", "SYMLINK"];
  changing.push("WRITE", "SETXATTR", "REMOVEXATTR", "CREATE", "FALLOCATE", "RENAME2", "TMPFILE");
  for (const name of changing) expect((await ask(name, THE_FILE)).outcome).toBe(EROFS);
  for (const flags of [1, 2, 0o100001]) {
    expect((await ask("OPEN", THE_FILE, words(flags, 0))).outcome).toBe(EROFS);
  }
  expect((await ask("ACCESS", THE_FILE, words(2, 0))).outcome).toBe(EROFS);
  expect((await ask("ACCESS", THE_FILE, words(1, 0))).outcome).toBe(EACCES);
});

test("STATFS tells the partition's size in its own blocks", async () => {
  const { view, outcome } = await ask("STATFS", ROOT);
  expect(outcome).toBe(80);
  expect(view.getBigUint64(0, true)).toBe(245n);
  expect([view.getBigUint64(8, true), view.getBigUint64(16, true)]).toEqual([0n, 0n]);
});

describe("several files", () => {
  const names = [
    "sda",
    "sda1",
    "sda2",
    "vg-root",
    ...Array.from({ length: 60 }, (_, n) => `p${n}`),
  ];
  const patterns = names.map((name, index) => ({ name, size: 1_000 * index + 7, holes: [] }));
  const [first, ...others] = patterns.map(patternFile);
  const files = [first ?? FILE, ...others] as const;
  const askOf = async (name: string, node: bigint, body: Uint8Array = new Uint8Array(64)) => {
    const reply = new ReplyBuffer(MAX_READ);
    const request = parsed(requestBytes(opcodeOf(name), body, { node }));
    const outcome = await answer(files, request, reply);
    const bytes = reply.payload.slice(0, typeof outcome === "number" ? outcome : 0);
    return { outcome, bytes, view: new DataView(bytes.buffer) };
  };

  test("each is found by its name, and is the one that was found", async () => {
    for (const pattern of patterns) {
      const { view } = await askOf("LOOKUP", ROOT, nameBody(pattern.name));
      const node = view.getBigUint64(0, true);
      expect(view.getBigUint64(40 + 8, true)).toBe(BigInt(pattern.size));
      const attributes = await askOf("GETATTR", node);
      expect(attributes.view.getBigUint64(16 + 8, true)).toBe(BigInt(pattern.size));
      const { bytes } = await askOf("READ", node, readBody(0n, 65_536));
      expect(Buffer.compare(bytes, patternBytes(pattern))).toBe(0);
    }
    expect((await askOf("LOOKUP", ROOT, nameBody("sda3"))).outcome).toBe(ENOENT);
    expect((await askOf("GETATTR", BigInt(names.length + 2))).outcome).toBe(ENOENT);
  });

  test("the directory lists them all, however little room there is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 64, max: 4096 }), async (room) => {
        const listed: string[] = [];
        for (let cookie = 0n; ; ) {
          const { bytes, view } = await askOf("READDIR", ROOT, readBody(cookie, room));
          if (bytes.length === 0) break;
          for (let at = 0; at < bytes.length; ) {
            const length = view.getUint32(at + 16, true);
            cookie = view.getBigUint64(at + 8, true);
            listed.push(Buffer.from(bytes.subarray(at + 24, at + 24 + length)).toString());
            at += Math.ceil((24 + length) / 8) * 8;
          }
        }
        expect(listed).toEqual([".", "..", ...names]);
      }),
      { numRuns: 20 },
    );
  });
});
