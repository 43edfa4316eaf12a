import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { RECORDING, record, render } from "../../scripts/record.ts";
import { testWith } from "../require.ts";

/** The lines of a recording; times, process ids and what hangs on a tool's version left out. */
const linesOf = (picture: string): string[] =>
  [...picture.matchAll(/<text [^>]*>(.*)<\/text>/g)].map(([, text = ""]) =>
    text.replace(/\d+/g, "0").replace(/ +/g, " "),
  );

testWith(
  ["root", "/dev/fuse", "kernel:ext4", "mkfs.ext4", "partclone.extfs", "zstd"],
  "docs/recording.svg shows what the commands print today (bun run record)",
  () => {
    expect(linesOf(render(record()))).toEqual(linesOf(readFileSync(RECORDING, "utf8")));
  },
  60_000,
);
