import { expect, test } from "bun:test";
import fc from "fast-check";
import { ImageBackupError } from "../../src/bytes/errors.ts";
import { OPERATIONS } from "../../src/fuse/abi.ts";
import type { ServedFile } from "../../src/fuse/served-file.ts";
import { type Device, type SessionMessage, serveRequests } from "../../src/fuse/session.ts";
import { type Pattern, patternFile } from "./pattern.ts";
import { initBody, nameBody, opcodeOf, readBody, requestBytes } from "./requests.ts";

const PATTERN: Pattern = { name: "sda1", size: 300_000, holes: [], broken: [8192, 12288] };
const SILENT = new Set([opcodeOf("FORGET"), opcodeOf("BATCH_FORGET"), opcodeOf("NOTIFY_REPLY")]);

class DeviceError extends Error {
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

type Step = Uint8Array | string;

/** Gives the steps one by one (a string is an error's code), then ENODEV; keeps what is written. */
class ScriptedDevice implements Device {
  readonly replies: Uint8Array[] = [];
  readonly #steps: Step[];
  readonly #refuse: (bytes: Uint8Array) => string | null;

  constructor(steps: readonly Step[], refuse: (bytes: Uint8Array) => string | null = () => null) {
    this.#steps = [...steps];
    this.#refuse = refuse;
  }

  read(into: Uint8Array): number {
    const step = this.#steps.shift() ?? "ENODEV";
    if (typeof step === "string") throw new DeviceError(step);
    into.set(step.subarray(0, into.length));
    return Math.min(step.length, into.length);
  }

  write(bytes: Uint8Array, start: number, length: number): number {
    const reply = bytes.slice(start, start + length);
    this.replies.push(reply);
    const refused = this.#refuse(reply);
    if (refused !== null) throw new DeviceError(refused);
    return length;
  }
}

interface Served {
  readonly replies: readonly { length: number; size: number; error: number; unique: bigint }[];
  readonly messages: readonly SessionMessage[];
}

async function serve(
  device: ScriptedDevice,
  debug = false,
  file: ServedFile = patternFile(PATTERN),
): Promise<Served> {
  const messages: SessionMessage[] = [];
  await serveRequests({ device, files: [file], debug, post: (message) => messages.push(message) });
  const replies = device.replies.map((bytes) => {
    const view = new DataView(bytes.buffer);
    return {
      length: view.getUint32(0, true),
      size: bytes.length,
      error: view.getInt32(4, true),
      unique: view.getBigUint64(8, true),
    };
  });
  return { replies, messages };
}

const read = (offset: bigint, size: number, unique: bigint) =>
  requestBytes(opcodeOf("READ"), readBody(offset, size), { unique });
const statfs = (unique: bigint) =>
  requestBytes(opcodeOf("STATFS"), undefined, { unique, node: 1n });
const EIO = -5;

test("FUS-END accepts ENODEV as the end, and interrupted or withdrawn reads as none", async () => {
  const device = new ScriptedDevice(["EINTR", "EAGAIN", "ENOENT", statfs(4n), "EINTR"]);
  const { replies, messages } = await serve(device);
  expect(replies.map((reply) => reply.unique)).toEqual([4n]);
  expect(messages).toEqual([{ type: "end" }]);
});

test("FUS-END rejects any other error of the device: the thread fails and is seen to", async () => {
  for (const code of ["EPERM", "EINVAL", "EIO"]) {
    await expect(serve(new ScriptedDevice([code]))).rejects.toThrow(code);
  }
});

test("FUS-READ-ERROR accepts reads beside a broken place", async () => {
  const { replies, messages } = await serve(
    new ScriptedDevice([read(0n, 8192, 2n), read(12288n, 4096, 4n)]),
  );
  expect(replies.map(({ error, size }) => [error, size])).toEqual([
    [0, 8208],
    [0, 4112],
  ]);
  expect(messages).toEqual([{ type: "end" }]);
});

test("FUS-READ-ERROR rejects reads of it with EIO, says so once, and goes on", async () => {
  const steps = [read(8192n, 4096, 2n), read(4096n, 8192, 4n), read(0n, 4096, 6n)];
  const { replies, messages } = await serve(new ScriptedDevice(steps));
  expect(replies.map(({ error }) => error)).toEqual([EIO, EIO, 0]);
  const line = "sda1: input/output error: a checksum at 8192 differs";
  expect(messages).toEqual([{ type: "log", kind: "BAD_CHECKSUM", line }, { type: "end" }]);
});

test("FUS-READ-ERROR: each bad checksum is told by its place, up to a thousand of them", async () => {
  const bad = (imageOffset: number) =>
    new ImageBackupError("BAD_CHECKSUM", `bad at ${imageOffset}`, { imageOffset });
  const file: ServedFile = {
    ...patternFile({ ...PATTERN, size: 2 ** 30 }),
    read: (_into, offset) => Promise.reject(bad(offset)),
  };
  const steps = Array.from({ length: 1100 }, (_, index) => [
    read(BigInt(index) * 4096n, 4096, BigInt(4 * index + 2)),
    read(BigInt(index) * 4096n, 4096, BigInt(4 * index + 4)),
  ]).flat();
  const { replies, messages } = await serve(new ScriptedDevice(steps), false, file);
  expect(replies.every(({ error }) => error === EIO)).toBe(true);
  const lines = messages.flatMap((message) => (message.type === "log" ? [message.line] : []));
  expect(lines.slice(0, 2)).toEqual([
    "sda1: input/output error: bad at 0",
    "sda1: input/output error: bad at 4096",
  ]);
  expect(lines.length).toBe(1001);
  expect(lines.at(-1)).toBe("more errors like these are not told");
});

test("FUS-REPLY-PENDING accepts that a request is gone: no second reply", async () => {
  for (const code of ["ENOENT", "ENODEV"]) {
    const { replies, messages } = await serve(
      new ScriptedDevice([statfs(4n), statfs(6n)], () => code),
    );
    expect(replies.map((reply) => reply.unique)).toEqual([4n, 6n]);
    expect(messages).toEqual([{ type: "end" }]);
  }
});

test("FUS-REPLY-PENDING rejects leaving a client waiting: a refused reply is followed by EIO", async () => {
  const refuse = (bytes: Uint8Array) => (bytes.length > 16 ? "EINVAL" : null);
  const { replies, messages } = await serve(new ScriptedDevice([statfs(4n)], refuse));
  expect(replies.map(({ unique, error, size }) => [unique, error, size])).toEqual([
    [4n, 0, 96],
    [4n, EIO, 16],
  ]);
  expect(messages.map((message) => message.type)).toEqual(["log", "end"]);
  const always = await serve(new ScriptedDevice([statfs(4n), statfs(6n)], () => "EINVAL"));
  expect(always.replies.map((reply) => reply.unique)).toEqual([4n, 4n, 6n, 6n]);
});

test("INIT is announced after its reply, and a kernel too old is refused", async () => {
  const init = (minor: number) =>
    requestBytes(opcodeOf("INIT"), initBody(7, minor, 0), { node: 0n });
  const { replies, messages } = await serve(new ScriptedDevice([init(45)]));
  expect(replies.map(({ size, error }) => [size, error])).toEqual([[80, 0]]);
  expect(messages[0]).toEqual({ type: "init", minor: 38, maxReadahead: 131072 });
  const old = await serve(new ScriptedDevice([init(8)]));
  expect(old.replies.map(({ error }) => error)).toEqual([-71]);
  expect(old.messages[0]).toMatchObject({ type: "refused" });
});

test("debug says each request and its outcome in one line", async () => {
  const lookup = requestBytes(opcodeOf("LOOKUP"), nameBody("x\ny"), { unique: 6n, node: 1n });
  const steps = [read(0n, 4096, 2n), lookup, requestBytes(9999), requestBytes(opcodeOf("FORGET"))];
  const { messages } = await serve(new ScriptedDevice(steps), true);
  expect(messages.flatMap((message) => (message.type === "debug" ? [message.line] : []))).toEqual([
    "#2 READ node=2 offset=0 size=4096 flags=0 -> 4096 bytes",
    '#6 LOOKUP node=1 "x\\ny" -> ENOENT',
    "malformed: unknown operation 9999 -> ENOSYS",
    "#7 FORGET node=2 -> no reply",
  ]);
});

/** A request with all of its parts arbitrary, most of them plausible. */
const anyRequest = fc
  .record({
    opcode: fc.oneof(fc.constantFrom(...OPERATIONS.map((o) => o.opcode)), fc.nat(2 ** 32 - 1)),
    body: fc.uint8Array({ maxLength: 200 }),
    node: fc.oneof(fc.constantFrom(0n, 1n, 2n, 3n), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    unique: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  })
  .map(({ opcode, body, node, unique }) => requestBytes(opcode, body, { node, unique }));

/** A request with some of its bytes changed, or cut short. */
const mutated = fc
  .tuple(anyRequest, fc.array(fc.tuple(fc.nat(240), fc.nat(255)), { maxLength: 4 }), fc.nat(300))
  .map(([bytes, changes, length]) => {
    for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
    return bytes.subarray(0, length);
  });

const RUNS = Number(process.env.PROPERTY_RUNS ?? 2000);

test("whatever comes, no request throws, and each gets one proper reply or none", async () => {
  const anyBytes = fc.oneof(anyRequest, mutated, fc.uint8Array({ maxLength: 300 }));
  await fc.assert(
    fc.asyncProperty(anyBytes, async (bytes) => {
      const { replies, messages } = await serve(new ScriptedDevice([bytes]), true);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const silent =
        bytes.length < 40 ||
        (view.getUint32(0, true) === bytes.length && SILENT.has(view.getUint32(4, true)));
      expect(replies.length).toBe(silent ? 0 : 1);
      for (const { length, size, error, unique } of replies) {
        expect(length).toBe(size);
        expect(unique).toBe(view.getBigUint64(8, true));
        expect(error <= 0 && error > -512).toBe(true);
        if (error !== 0) expect(size).toBe(16);
      }
      expect(messages.at(-1)).toEqual({ type: "end" });
    }),
    { numRuns: RUNS },
  );
}, 600_000);
