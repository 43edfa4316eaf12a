import { expect } from "bun:test";
import { testWith } from "../require.ts";
import { BLOCK, fixture, folder, isRight, mounted, NEEDS, readRange, TIMEOUT } from "./command.ts";
import { disk } from "./disk.ts";
import { reader } from "./reader.ts";

const whole = fixture();
/** Blocks 0 to 299 are stored first, so a block's data and its neighbour's are one stretch. */
const STUCK = [100, 120, 140, 160];
const OTHERS = [0, 20, 200, 299, 900];
const startOf = (block: number) =>
  whole.stored.find((stored) => stored.block === block)?.imageOffset ?? 0;

testWith(
  NEEDS,
  "FUS-STAND-IN: while four reads wait for the disk, others are answered, and in the end so are they",
  async () => {
    using made = folder();
    await using stuck = await disk(made.file("sda1.img", whole.image), "sda1.img");
    await using mount = await mounted(stuck.file);
    await stuck.turn("stuck", startOf(100), startOf(180));
    await using clients = new AsyncDisposableStack();
    const waiting = STUCK.map((block) => clients.use(reader(mount.file, block)));
    await Bun.sleep(200);
    for (const block of OTHERS) {
      expect(isRight(readRange(mount.file, block * BLOCK, BLOCK), whole, block * BLOCK)).toBe(true);
    }
    expect(waiting.map(({ child }) => child.exitCode)).toEqual(STUCK.map(() => null));
    await stuck.turn("well");
    for (const [index, { bytes }] of waiting.entries()) {
      expect(isRight(await bytes(), whole, (STUCK[index] ?? 0) * BLOCK)).toBe(true);
    }
    expect(mount.unmount().code).toBe(0);
    await mount.ended();
  },
  TIMEOUT,
);
