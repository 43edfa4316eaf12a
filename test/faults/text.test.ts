import { expect, test } from "bun:test";
import { join } from "node:path";
import { build } from "../../fixtures-gen/build.ts";
import { exampleParams } from "../../fixtures-gen/examples.ts";
import { V1_HEADER } from "../../fixtures-gen/partclone-v1.ts";
import { sealHeader, V2_HEADER } from "../../fixtures-gen/partclone-v2.ts";
import { runCommand } from "../cli/program.ts";
import { mountDirectory, ROOT, run, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { fixture, folder, NEEDS, serversOf, TIMEOUT, vpartclone } from "./command.ts";

const CLI = join(import.meta.dirname, "../../src/cli");
const encoder = new TextEncoder();

/** ESC, the 8-bit CSI and OSC, DEL, a line's end, in Latin-1 as an image has them. */
const EVIL = Uint8Array.of(0x1b, 0x5d, 0x30, 0x3b, 0x9b, 0x32, 0x4a, 0x9d, 0x7f, 0x0a, 0x07);
/** The same, and what turns text around, in a path. */
const EVIL_NAME = "a\x1b]0;x\x07\x9b2J\n\u202e\u2028.img";

/** Line ends and what is printable: all that a terminal may get. */
const RAW = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u;

function evilImages(): Record<string, Uint8Array> {
  const v2 = fixture().image;
  for (const [at] of [V2_HEADER.fsType, V2_HEADER.toolVersion]) v2.set(EVIL, at);
  sealHeader(v2, "little");
  const v1 = build(exampleParams["v1-plain"]).image;
  v1.set(EVIL, V1_HEADER.fsType[0]);
  const version = fixture().image;
  version.set([0x1b, 0x63, 0x9b, 0x0a], V2_HEADER.version[0]);
  const broken = v2.slice(0, 5000);
  return { v2, v1, version, broken, foreign: encoder.encode("\x1b]0;owned\x07") };
}

/** Every command that reads an image and prints, and enough of them for an image that is refused. */
const commandLines: readonly (readonly string[])[] = [
  ["vpartclone", "-vc"],
  ["vpartclone", "--json"],
  ["vconform"],
  ["vpartclone", "-v"],
  ["vpartclone", "-c", "-q"],
  ["vntfsclone", "-v"],
  ["vconform", "--json"],
  ["vconform", "--junit"],
  ["vconform", "--tap"],
];

const FEW = 3;

test("nothing of an image or a path reaches the terminal raw", () => {
  using made = folder();
  for (const [kind, image] of Object.entries(evilImages())) {
    const path = made.file(EVIL_NAME, image);
    const chosen = kind === "v2" ? commandLines : commandLines.slice(0, FEW);
    for (const [program = "", ...words] of chosen) {
      const { out, err } = runCommand([
        process.execPath,
        join(CLI, `${program}.ts`),
        ...words,
        path,
      ]);
      expect([kind, program, words, RAW.exec(out)?.[0], RAW.exec(err)?.[0]]).toEqual([
        ...[kind, program, words],
        ...[undefined, undefined],
      ]);
      expect((out + err).length).toBeGreaterThan(0);
    }
  }
}, 60_000);

testWith(
  NEEDS,
  "nor when it is mounted",
  async () => {
    using made = folder();
    using directory = mountDirectory(ROOT);
    const path = made.file(EVIL_NAME, evilImages().v2 ?? new Uint8Array());
    const { status, out, err } = await vpartclone([path, "-m", directory.path]);
    expect([status, RAW.exec(out), RAW.exec(err)]).toEqual([0, null, null]);
    expect(out).toContain("\\x1b]0;");
    expect(run(ROOT, "umount", directory.path).code).toBe(0);
    await until(() => serversOf(directory.path).length === 0);
  },
  TIMEOUT,
);
