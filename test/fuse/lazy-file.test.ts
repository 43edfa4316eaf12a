import { expect, test } from "bun:test";
import { type FileContent, lazyContent } from "../../src/fuse/lazy-file.ts";
import { patternFile } from "./pattern.ts";

const content: FileContent = patternFile({ name: "sda1", size: 4096, holes: [] });

/** Opens that fail so often, each after so long. */
function opening(failures: number, tookMs: number) {
  const counted = { opened: 0 };
  const open = async () => {
    counted.opened++;
    await Bun.sleep(tookMs);
    if (counted.opened <= failures) throw new Error("cannot be opened");
    return content;
  };
  return { counted, open };
}

const read = ({ read }: FileContent) => read(new Uint8Array(8), 0);

test("a content is opened at its first read, once for all who wait", async () => {
  const { counted, open } = opening(0, 20);
  const lazy = lazyContent(open);
  expect(counted.opened).toBe(0);
  expect(await Promise.all([read(lazy), read(lazy), lazy.nextHole(0)])).toEqual([8, 8, 4096]);
  expect(await read(lazy)).toBe(8);
  expect(counted.opened).toBe(1);
});

test("one that cannot be opened is not tried at each read, but later", async () => {
  const { counted, open } = opening(1, 0);
  const lazy = lazyContent(open, 200);
  for (let i = 0; i < 10; i++) await expect(read(lazy)).rejects.toThrow("cannot be opened");
  expect(counted.opened).toBe(1);
  await Bun.sleep(300);
  expect(await read(lazy)).toBe(8);
});

test("one that takes long to fail is not tried again for as long", async () => {
  const { counted, open } = opening(1, 400);
  const lazy = lazyContent(open, 0);
  await expect(read(lazy)).rejects.toThrow("cannot be opened");
  await Bun.sleep(150);
  await expect(read(lazy)).rejects.toThrow("cannot be opened");
  expect(counted.opened).toBe(1);
  await Bun.sleep(400);
  expect(await read(lazy)).toBe(8);
});
