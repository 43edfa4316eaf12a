import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { flip, last } from "../../fixtures-gen/break.ts";
import { type ExampleName, example } from "../../fixtures-gen/examples.ts";
import { testWith } from "../require.ts";
import { compressed, compressors } from "./compressors.ts";
import {
  linesOf,
  type ProgramName,
  type Ran,
  runCommand,
  runProgram,
  scratch,
  scriptOf,
} from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const cwd = files.path;

/** Each with the commands that tell of it, on a file as it is: what they must tell of the stream. */
const images: readonly (readonly [title: string, program: ProgramName, image: Uint8Array])[] = [
  ["v1-plain", "vpartclone"],
  ["v2-xxh128", "vpartclone"],
  ["ntfs-10.1", "vntfsclone"],
  ["ntfs-metadata", "vntfsclone"],
].map(([name, program]) => [
  name as string,
  program as ProgramName,
  example(name as ExampleName).image,
]);
const sound = example("v2-crc32");
const bad = flip(sound, last(sound.strips).checksumOffset);
const truncated = sound.image.slice(0, -100);
const all: typeof images = [
  ...images,
  ["a bad strip", "vpartclone", bad],
  ["a truncated image", "vpartclone", truncated],
  ["bytes after the end", "vpartclone", Uint8Array.from([...sound.image, 1])],
];

const commands = ["-v", "-c -q", "--json -c -q"];

/** Without the names, and the findings sorted: how long a pipe is shows only at its end. */
const comparable = ({ status, out, err }: Ran, name: string) => {
  const nameless = (line: string) => (line.startsWith(name) ? line.slice(name.length) : line);
  return {
    status,
    out: linesOf(out).map(nameless),
    err: linesOf(err)
      .map((line) => nameless(line.replace(/^\w+: (warning: )?/, "")))
      .toSorted(),
  };
};
type Comparable = ReturnType<typeof comparable>;

describe.each(all)("%s", (_title, program, image) => {
  let expected: Record<string, Comparable> = {};
  beforeAll(() => {
    files.file("plain.img", image);
    expected = Object.fromEntries(
      commands.map((command) => {
        const ran = runProgram(program, [...command.split(" "), "plain.img"], { cwd });
        return [command, comparable(ran, "plain.img")];
      }),
    );
  });

  /** -v reads no further than the header of a pipe, so it does not know how long the image is. */
  const expectation = (command: string): Comparable => {
    const found = expected[command] ?? { status: null, out: [], err: [] };
    const isCut = command === "-v" && program === "vpartclone";
    return isCut ? { ...found, err: [] } : found;
  };

  test.each(commands)("%s takes it from standard input", (command) => {
    const ran = runProgram(program, [...command.split(" "), "-"], { cwd, stdin: image });
    expect(comparable(ran, "-")).toEqual(expectation(command));
  });

  testWith(["zstd"], "compressed, whatever its name", () => {
    files.file("c.img", compressed("zstd", image));
    for (const command of commands) {
      const ran = runProgram(program, [...command.split(" "), "c.img"], { cwd });
      expect(comparable(ran, "c.img")).toEqual(expectation(command));
    }
  });
});

for (const [by, [tool]] of Object.entries(compressors)) {
  testWith([tool], `${by}: read as a file and from a pipe; several members are one image`, () => {
    const { image } = example("v2-xxh64");
    const middle = Math.floor(image.length / 2);
    const name = by as keyof typeof compressors;
    const parts = [image.subarray(0, middle), image.subarray(middle)];
    // The old format of lzma has one member only.
    const pieces = name === "lzma" ? [image] : parts;
    const whole = Buffer.concat(pieces.map((part) => compressed(name, part)));
    files.file("members.img", whole);
    const args = ["-c", "-q"];
    const verdict =
      "sound: 4 strips are right (31.2 KiB read, proved by an XXH64 for each 8 blocks)";
    const fromFile = runProgram("vpartclone", [...args, "members.img"], { cwd });
    expect(fromFile).toEqual({ status: 0, out: `members.img: ${verdict}\n`, err: "" });
    const fromPipe = runProgram("vpartclone", [...args, "-"], { cwd, stdin: whole });
    expect(fromPipe).toEqual({ status: 0, out: `-: ${verdict}\n`, err: "" });
  });

  testWith([tool], `${by}: a damaged or truncated file is one line and status 1`, () => {
    const whole = compressed(by as keyof typeof compressors, example("v2-xxh64").image);
    const damaged = whole.slice();
    damaged.fill(0x55, whole.length - 600, whole.length - 500);
    for (const bytes of [damaged, whole.subarray(0, whole.length - 500)]) {
      files.file("damaged.img", bytes);
      const { status, out, err } = runProgram("vpartclone", ["-c", "-q", "damaged.img"], { cwd });
      expect(status).toBe(1);
      const lines = linesOf(err);
      for (const line of lines) expect(line).toStartWith("vpartclone: damaged.img: ");
      expect(lines.length).toBeGreaterThan(0);
      expect(out).not.toContain(": sound");
    }
  });
}

testWith(["mkfifo"], "a FIFO is read as standard input is, and not mounted", () => {
  const command = `mkfifo fifo; cat plain.img > fifo & "$0" "$@"`;
  files.file("plain.img", sound.image);
  const script = [process.execPath, scriptOf("vpartclone")];
  const checked = runCommand(["sh", "-c", command, ...script, "-c", "-q", "fifo"], { cwd });
  expect(checked).toEqual({
    status: 0,
    out: "fifo: sound: 4 strips are right (31.1 KiB read, proved by a CRC32 for each 8 blocks)\n",
    err: "",
  });
  expect(runProgram("vpartclone", ["fifo", "-m", "."], { cwd })).toEqual({
    status: 1,
    out: "",
    err: "vpartclone: fifo: a pipe can be checked and restored but not mounted; save it to a file first\n",
  });
});

test("standard input cannot be mounted", () => {
  expect(runProgram("vpartclone", ["-m", ".", "-"], { cwd, stdin: sound.image })).toEqual({
    status: 1,
    out: "",
    err: "vpartclone: -: standard input can be checked and restored but not mounted; save it to a file first\n",
  });
});
