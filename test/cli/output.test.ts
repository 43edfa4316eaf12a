import { afterAll, describe, expect, test } from "bun:test";
import { stripVTControlCharacters } from "node:util";
import { build } from "../../fixtures-gen/build.ts";
import { example, exampleParams } from "../../fixtures-gen/examples.ts";
import { sealHeader, V2_HEADER } from "../../fixtures-gen/partclone-v2.ts";
import { put } from "../../fixtures-gen/struct.ts";
import { testWith } from "../require.ts";
import { linesOf, type RunOptions, runCommand, runProgram, scratch, scriptOf } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const options: RunOptions = { cwd: files.path };
/** Control characters, but for the ends of lines. */
const ESCAPES = /(?!\n)\p{Cc}/u;

/** What makes a terminal do things: colours, titles, C1 controls, a line of its own. */
const HOSTILE = "\x1b[31m\x07\x9b2J\r\n\x7f";

function withNames(): Uint8Array {
  const image = example("v2-crc32").image;
  const { toolVersion, fsType } = V2_HEADER;
  for (const [offset] of [toolVersion, fsType]) {
    image.set(
      Uint8Array.from(HOSTILE, (letter) => letter.charCodeAt(0)),
      offset,
    );
  }
  sealHeader(image, "little");
  return image;
}

describe("control characters from an image or a path are not printed", () => {
  files.file("hostile.img", withNames());
  const badVersion = example("v2-crc32").image;
  put(badVersion, V2_HEADER, { version: "\x1b[m\x9b" }, "little");
  files.file("version.img", badVersion);
  files.file("na\x1b[31mme\n.img", example("v2-crc32").image);

  test.each([
    ["-v", "hostile.img", "\\x1b[31m\\x07\\x9b2J\\x0d\\x0a\\x7f"],
    ["--json", "hostile.img", "\\u001b[31m\\u0007\\u009b2J\\r\\n\\u007f"],
    ["-v", "version.img", "\\u001b[m"],
    ["-c", "na\x1b[31mme\n.img", "na\\x1b[31mme\\x0a.img: 100 %"],
    ["-v", "no\x1b[31mne\u009b\u2028", "no\\x1b[31mne\\x9b\\u{2028}: no such file"],
  ])("%s %j", (option, image, shown) => {
    const { out, err } = runProgram("vpartclone", [option, image], options);
    expect(`${out}${err}`).toContain(shown);
    expect(out + err).not.toMatch(ESCAPES);
  });

  test("--json stays JSON, with the very bytes", () => {
    const { out } = runProgram("vpartclone", ["--json", "hostile.img"], options);
    expect(JSON.parse(out)["fs type"]).toBe(HOSTILE);
  });
});

describe("output that cannot be written", () => {
  files.file("x.img", example("v2-crc32").image);
  const shell = (line: string) =>
    runCommand(["bash", "-c", line, process.execPath, scriptOf("vpartclone")], options);

  testWith(["bash"], "a reader that closes the pipe ends it in silence", () => {
    const { out, err } = shell('set -o pipefail; "$0" "$1" -v x.img | true; echo $?');
    expect(err).toBe("");
    // 0 where all was written before the reader closed.
    expect(["0\n", "1\n"]).toContain(out);
  });

  testWith(["bash", "/dev/full"], "a full disk is one line", () => {
    const { status, err } = shell('"$0" "$1" -v x.img > /dev/full');
    expect(status).toBe(1);
    expect(linesOf(err)).toEqual([expect.stringMatching(/^vpartclone: standard output: ENOSPC/)]);
  });

  testWith(["bash", "/dev/full"], "without a place for messages the verdict is the same", () => {
    const { status, out } = shell('"$0" "$1" -c x.img 2> /dev/full');
    expect({ status, out }).toEqual({
      status: 0,
      out: "x.img: sound: 4 strips are right (31.1 KiB read, proved by a CRC32 for each 8 blocks)\n",
    });
  });
});

/** What a line of a terminal shows in the end: what follows the last return to its beginning. */
function lastWritten(line: string): string {
  const [last = ""] = line.trimEnd().replaceAll("\x1b[1G", "\r").split("\r").slice(-1);
  return stripVTControlCharacters(last);
}

testWith(["script"], "on a terminal: a bar, which bad strips do not break", () => {
  const fixture = build({ ...exampleParams["v2-large-blocks"], blocksPerChecksum: 1, runs: [200] });
  const image = fixture.image.slice();
  for (const number of [3, 150]) {
    const at = fixture.strips[number]?.imageOffset ?? 0;
    image[at] = (image[at] ?? 0) ^ 1;
  }
  files.file("bar.img", image);
  const command = `TERM=xterm ${process.execPath} ${scriptOf("vpartclone")} -c bar.img`;
  const { status, out } = runCommand(["script", "-qec", command, "/dev/null"], options);
  expect(status).toBe(1);
  const shown = out.trimEnd().split("\n").map(lastWritten);
  expect(shown.filter((line) => line.startsWith("vpartclone: bar.img: strip "))).toHaveLength(2);
  expect(shown.at(-2)).toMatch(
    /^bar\.img \[={14}\] 100% 12\.5 MiB of 12\.5 MiB(, .*\/s, in 0:\d\d)?$/,
  );
  expect(shown.at(-1)).toStartWith("bar.img: NOT SOUND: 2 of 200 strips are bad");
  // The cursor is never hidden: an interrupt would leave it so.
  expect(out).not.toContain("\x1b[?25l");
});

testWith(["script"], "on a terminal whose cursor cannot be moved: lines", () => {
  files.file("dumb.img", example("v2-crc32").image);
  const command = `TERM=dumb ${process.execPath} ${scriptOf("vpartclone")} -c dumb.img`;
  const { out } = runCommand(["script", "-qec", command, "/dev/null"], options);
  expect(out).toContain("dumb.img: 100 % of ");
  expect(out).not.toContain("\x1b");
});
