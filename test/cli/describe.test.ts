import { afterAll, describe, expect, test } from "bun:test";
import { type ExampleName, example, exampleNames } from "../../fixtures-gen/examples.ts";
import { expectedDump } from "./expected-dump.ts";
import { linesOf, type ProgramName, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());

/** Of these nobody can know all blocks: the header is shown, then the command fails. */
const unreadable: ReadonlySet<ExampleName> = new Set(["v2-big-endian-tail"]);

describe.each(exampleNames)("%s", (name) => {
  const fixture = example(name);
  const program: ProgramName = fixture.format === "ntfsclone" ? "vntfsclone" : "vpartclone";
  const image = `${name}.img`;
  files.file(image, fixture.image);
  const expected = expectedDump(fixture);
  const isReadable = !unreadable.has(name);
  const options = { cwd: files.path };

  const expectFindings = (err: string) => {
    const rules = linesOf(err).map((line) => {
      expect(line).toStartWith(`${program}: ${isReadable ? "warning: " : ""}${image}: `);
      return /\(([A-Z0-9-]+)\)$/.exec(line)?.[1] ?? line;
    });
    // A metadata image's order is in the dump itself.
    const told = fixture.breaks.filter((rule) => rule !== "NTC-ORDER");
    expect(rules.toSorted()).toEqual(told.toSorted());
  };

  test("--json prints the fields with their values in the model's order", () => {
    const { status, out, err } = runProgram(program, ["--json", image], options);
    expect(status).toBe(isReadable ? 0 : 1);
    expectFindings(err);
    expect(Object.entries(JSON.parse(out))).toEqual(Object.entries(expected));
  });

  test("-v prints the same fields, -c with -q the verdict after them", () => {
    const { status, out } = runProgram(program, ["-v", "-c", "-q", image], options);
    expect(status).toBe(isReadable ? 0 : 1);
    const [title = "", rule = "", ...lines] = linesOf(out);
    expect(title).toBe(`${program === "vntfsclone" ? "Ntfsclone" : "Partclone"} Header`);
    expect(rule).toBe("=".repeat(title.length));
    const verdict = lines.pop() ?? "";
    expect(verdict).toStartWith(`${image}: ${isReadable ? "sound" : "NOT SOUND"}`);
    const width = Math.max(...Object.keys(expected).map(({ length }) => length));
    expect(lines.map((line) => line.slice(0, width).trimEnd())).toEqual(Object.keys(expected));
    for (const line of lines) {
      const value = expected[line.slice(0, width).trimEnd()];
      const shown = typeof value === "number" ? value.toLocaleString("en-US") : String(value);
      if (typeof value === "boolean") continue;
      expect(line.slice(width + 1).replaceAll(",", "")).toContain(shown.replaceAll(",", ""));
    }
  });
});

/** To the letter, once for each format. */
const texts: readonly (readonly [example: ExampleName, text: string])[] = [
  [
    "v2-xxh128-no-reseed",
    `Partclone Header
================
partclone version 0.3.23
fs type           EXTFS
fs total size     77.0 KiB (78,848 bytes)
fs total blocks   77
fs used blocks    31 (31.0 KiB)     by the superblock
fs_used_bitmap    31 (31.0 KiB)     by the bitmap
fs block size     1024
image version     2
cpu bits          64
checksum mode     XXH128
checksum size     16
checksum blocks   8
checksum reseed   false
bitmap mode       BIT
header_crc32      0xe60d6501
bitmap            10 bytes
bitmap_crc32      0x69ce0bd5
blocks_section    at 124 in img file
block_offset_size 1024
block_offsets     1 instance
byte order        little-endian
`,
  ],
  [
    "v1-checksums-8-bytes",
    `Partclone Header
================
fs type           EXTFS
fs total size     77.0 KiB (78,848 bytes)
fs total blocks   77
fs used blocks    31 (31.0 KiB)     by the header
fs_used_bitmap    31 (31.0 KiB)     counted in the bitmap
fs block size     1024
image version     1
checksum mode     CRC32 (of format 0001: each block's first byte)
checksum size     8
checksum blocks   1
checksum reseed   false
bitmap mode       BYTE
bitmap            77 bytes
blocks_section    at 4,245 in img file
block_offset_size 1024
block_offsets     1 instance
byte order        little-endian
`,
  ],
  [
    "ntfs-metadata",
    `Ntfsclone Header
================
major_ver            10
minor_ver            1
cluster_size         1024
device_size          64.5 KiB (66,048 bytes)
nr_clusters          64
inuse                14 (14.0 KiB)     by the header
offset_to_image_data 56
stored clusters      11 (11.0 KiB)
gaps                 5, 2 of them back
metadata image       yes: the contents of files are not in it
backup boot sector   yes
byte order           little-endian
`,
  ],
];

test.each(texts)("%s: -v to the letter", (name, text) => {
  const program = name.startsWith("ntfs") ? "vntfsclone" : "vpartclone";
  expect(runProgram(program, ["-v", `${name}.img`], { cwd: files.path }).out).toBe(text);
});

test("-i is in the dump: counts of so many blocks each, rounded up to whole words", () => {
  const { out } = runProgram("vpartclone", ["--json", "-i", "33", "v2-crc32.img"], {
    cwd: files.path,
  });
  expect(JSON.parse(out)).toMatchObject({ block_offset_size: 64, block_offsets: 2 });
});

test("both commands open both formats", () => {
  for (const image of ["ntfs-10.1.img", "v2-crc32.img"]) {
    const [first, second] = (["vpartclone", "vntfsclone"] as const).map((program) =>
      runProgram(program, ["-v", image], { cwd: files.path }),
    );
    expect(first).toEqual(second as NonNullable<typeof second>);
    expect(first?.status).toBe(0);
  }
});
