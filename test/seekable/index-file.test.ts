import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkpointOf, IndexFile } from "../../src/seekable/index-file.ts";

const folder = mkdtempSync(join(tmpdir(), "vpartclone-index-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KEY = "what data it is of";
const STATE = 8 * 2 ** 20;
const COUNT = 7;

/** An index that is larger than what is looked at before it is needed. */
function largeIndex(name: string, isComplete: boolean) {
  const fd = openSync(join(folder, name), "w+");
  const file = IndexFile.create(fd, KEY);
  const starts: number[] = [];
  for (let i = 0; i < COUNT; i++) {
    starts.push(file.end);
    const state = new Uint8Array(STATE).fill(i);
    file.add({ outOffset: i * 1000, inOffset: i * 100, inBit: 0, state });
  }
  if (isComplete) file.finish(COUNT * 1000, true);
  const damage = (record: number) =>
    writeSync(fd, Uint8Array.of(0xdb), 0, 1, (starts[record] ?? 0) + STATE);
  return { fd, starts, end: file.end, damage, [Symbol.dispose]: () => closeSync(fd) };
}

test("a pass goes on from the last state that is whole, however late damage is", () => {
  for (const damaged of [[], [6], [5, 6], [4, 5, 6], [3, 6], [0, 6]]) {
    using index = largeIndex(`left-${damaged}`, false);
    for (const record of damaged) index.damage(record);
    const opened = IndexFile.open(index.fd, KEY);
    const whole = damaged.includes(0) ? 0 : COUNT - damaged.length;
    const isEarly = damaged.includes(3);
    const count = isEarly ? 3 : whole;
    expect(opened?.records.entries.length).toBe(count);
    expect(opened?.file.end).toBe(index.starts[count] ?? index.end);
    const last = opened?.records.entries.at(-1);
    if (last) expect(checkpointOf(index.fd, last).state[0]).toBe(count - 1);
  }
});

test("of a complete one what is late is looked at when it is needed", () => {
  using index = largeIndex("complete", true);
  index.damage(6);
  const opened = IndexFile.open(index.fd, KEY);
  expect(opened?.records).toMatchObject({ outSize: COUNT * 1000, isProved: true });
  expect(opened?.records.entries.length).toBe(COUNT);
});
