import { describe, expect } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { testWith } from "../require.ts";
import { compress, testCodecs } from "./codecs.ts";
import type { Drained } from "./drain.ts";
import { scratch } from "./scratch.ts";

const made = scratch();
const MIB = 2 ** 20;
/** `LONG=1` reads as much as the package promises this for, in every variant of each codec. */
const isLong = process.env.LONG === "1";
const TOTAL = isLong ? 2048 * MIB : 256 * MIB;
const codecs = testCodecs.filter(
  ({ name }, index) => isLong || testCodecs.findIndex((codec) => codec.name === name) === index,
);
const MEMBER = 8 * MIB;
const MOST_MEMORY = 200 * MIB;

/** A file system is like this: some of it dense, most of it empty. */
function member(): Uint8Array {
  const content = new Uint8Array(MEMBER);
  content.set(randomBytes(MIB));
  for (let at = MIB; at < 3 * MIB; at++) content[at] = at >>> (at & 7);
  return content;
}

async function drain(script: string): Promise<Drained> {
  const command = [process.execPath, join(import.meta.dirname, "drain.ts"), "-"];
  const child = Bun.spawn(["sh", "-c", `${script} | "$@"`, "sh", ...command], {
    stdin: "ignore",
    stderr: "inherit",
  });
  return JSON.parse(await child.stdout.text());
}

function expectBounded(title: string, seen: Drained, window = 0): void {
  expect(seen.error).toBeUndefined();
  expect(seen.bytes).toBe(TOTAL);
  if (isLong) {
    const speed = Math.round(TOTAL / 1000 / seen.milliseconds);
    console.log(`${title}: ${speed} MB/s, ${Math.round(seen.peakMemory / MIB)} MiB at most`);
  }
  expect(seen.peakMemory).toBeLessThan(MOST_MEMORY + window);
}

describe(`${TOTAL / MIB} MiB in less than 200 MiB of memory`, () => {
  const content = member();
  for (const codec of codecs) {
    const [tool = ""] = codec.command;
    const command = codec.command.join(" ");

    testWith(
      [tool],
      `${command}: many members`,
      async () => {
        const path = made.file("member", compress(codec, content));
        const copies = Array(TOTAL / MEMBER).fill(path);
        expectBounded(`${command}, members`, await drain(`cat ${copies.join(" ")}`), codec.window);
      },
      600_000,
    );

    testWith(
      [tool],
      `${command}: one member of zeros`,
      async () => {
        const seen = await drain(`head -c ${TOTAL} /dev/zero | ${command}`);
        expectBounded(`${command}, zeros`, seen, codec.window);
      },
      600_000,
    );
  }

  // Its dictionary is the largest of the presets: 64 MiB.
  testWith(
    ["xz"],
    "xz -9c: one member of zeros",
    async () => {
      expectBounded("xz -9c, zeros", await drain(`head -c ${TOTAL} /dev/zero | xz -9c -T1`));
    },
    600_000,
  );
});
