import { expect, test } from "bun:test";
import { EINTR } from "../../src/fuse/abi.ts";
import { KilledClients } from "../../src/fuse/killed-clients.ts";
import { ReplyBuffer } from "../../src/fuse/reply.ts";
import type { ServedFile } from "../../src/fuse/served-file.ts";
import { handleRequest, type SessionMessage } from "../../src/fuse/session.ts";
import { patternFile } from "./pattern.ts";
import { opcodeOf, readBody, requestBytes } from "./requests.ts";

/** As if the client of a read were killed, before the read comes to its end. */
async function killedRead(end: (late: PromiseWithResolvers<number>) => void) {
  const late = Promise.withResolvers<number>();
  const file: ServedFile = {
    ...patternFile({ name: "sda1", size: 8192, holes: [] }),
    read: () => late.promise,
  };
  const replies: Uint8Array[] = [];
  const messages: SessionMessage[] = [];
  const killed = new KilledClients();
  killed.first = (_client, outcome) => Promise.race([outcome, Promise.resolve(EINTR)]);
  const write = (bytes: Uint8Array, start: number, length: number) => {
    replies.push(bytes.slice(start, start + length));
    return length;
  };
  const post = (message: SessionMessage) => messages.push(message);
  const session = { device: { write }, files: [file] as const, debug: true, killed, post };
  const request = requestBytes(opcodeOf("READ"), readBody(0n, 4096), { unique: 4n });
  const view = new DataView(request.buffer);
  let isFree = false;
  const log = (kind: string, line: string) => post({ type: "log", kind, line });
  const handled = handleRequest(session, view, request.length, new ReplyBuffer(8192), log);
  const done = Promise.resolve(handled).then(() => {
    isFree = true;
  });
  await Bun.sleep(0);
  const wasFree = isFree;
  end(late);
  await done;
  return { replies, messages, wasFree };
}

test("FUS-KILLED: one reply, EINTR, and its buffer is free when the late outcome has come", async () => {
  const { replies, messages, wasFree } = await killedRead((late) => late.resolve(4096));
  expect(wasFree).toBe(false);
  expect(replies.map((bytes) => Buffer.from(bytes).toString("hex"))).toEqual([
    "10000000fcffffff0400000000000000",
  ]);
  expect(messages.map(({ type }) => type)).toEqual(["debug"]);
});

test("FUS-KILLED: a late failure is told and no second reply", async () => {
  const { replies, messages } = await killedRead((late) => late.reject(new Error("broken")));
  expect(replies.length).toBe(1);
  expect(messages.map(({ type }) => type)).toEqual(["debug", "log"]);
});

test("FUS-KILLED: an outcome is passed on as it is while the client lives, or is not known", async () => {
  const killed = new KilledClients();
  for (const client of [process.pid, 0, 2 ** 32 - 1]) {
    expect(
      await killed.first(
        client,
        Bun.sleep(600).then(() => 17),
      ),
    ).toBe(17);
    await expect(killed.first(client, Promise.reject(new Error("no")))).rejects.toThrow("no");
  }
});
