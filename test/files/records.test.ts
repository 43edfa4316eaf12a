import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  clearDead,
  liveRecords,
  removeRecord,
  startOf,
  writeRecord,
} from "../../src/files/records.ts";

const place = mkdtempSync(join(tmpdir(), "vpartclone-records-"));
beforeAll(() => chmodSync(place, 0o700));
afterAll(() => rmSync(place, { recursive: true }));

const mount = {
  image: "/images/a b.img",
  directory: "/mnt/none of these is mounted",
  shows: "files",
  mount: "1 2 3:4",
  hidden: null,
} as const;

test("FUS-FILES-RECORD: a record is its owner's alone, and lives as long as its process", () => {
  writeRecord(place, mount);
  const [name = ""] = readdirSync(place);
  expect(name).toBe(`${process.pid}.json`);
  expect(statSync(join(place, name)).mode & 0o777).toBe(0o600);
  expect(liveRecords([place])).toEqual([
    { pid: process.pid, started: expect.stringMatching(/^\d+$/), ...mount },
  ]);
  clearDead([place]);
  expect(liveRecords([place])).toHaveLength(1);
  removeRecord(place);
  expect(readdirSync(place)).toEqual([]);
});

test("FUS-FILES-RECORD: one whose process is another by now is cleared away, with its directory", () => {
  const hidden = mkdtempSync(join(place, "partition-"));
  const dead = { pid: process.pid, started: "1", ...mount, hidden };
  writeFileSync(join(place, "1.json"), JSON.stringify(dead));
  expect(liveRecords([place])).toEqual([]);
  clearDead([place]);
  expect(existsSync(hidden)).toBe(false);
  expect(readdirSync(place)).toEqual([]);
});

test("FUS-FILES-RECORD: a directory that others may enter is not believed", () => {
  writeRecord(place, mount);
  chmodSync(place, 0o755);
  expect(liveRecords([place])).toEqual([]);
  chmodSync(place, 0o700);
  expect(liveRecords([join(place, "missing"), place])).toHaveLength(1);
  removeRecord(place);
});

test("a process has a start time until it ends", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  expect(startOf(child.pid)).toMatch(/^\d+$/);
  child.kill();
  await child.exited;
  expect(startOf(child.pid)).toBeNull();
});
