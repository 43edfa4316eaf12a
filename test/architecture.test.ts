import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dirname, "..");

/** What each room of src/ may import besides itself: everything points upward in this list. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  bytes: [],
  source: ["bytes"],
  seekable: ["bytes", "source"],
  image: ["bytes", "source"],
  partclone: ["bytes", "source", "image"],
  ntfsclone: ["bytes", "source", "image"],
  "formats.ts": ["bytes", "source", "image", "partclone", "ntfsclone"],
  clonezilla: ["bytes", "source", "image", "formats.ts"],
  conformance: ["bytes", "source", "image", "formats.ts"],
  fuse: ["bytes", "image"],
  files: ["bytes", "fuse"],
  "open-image.ts": ["bytes", "source", "partclone", "ntfsclone", "formats.ts"],
  "index.ts": ["open-image.ts", "bytes", "source", "image", "partclone", "ntfsclone", "formats.ts"],
};
const MOST_LINES = 300;

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(folder, name));
}

/** The modules a file imports (the pages of spec/ are data), as paths from the project's root. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const names = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+\.ts)"/g)].map(
    ([, name = ""]) => name,
  );
  return names.map((name) => relative(root, join(root, dirname(file), name)));
}

const roomOf = (file: string) => relative("src", file).split("/")[0] ?? "";

describe("src/", () => {
  test.each(filesBelow("src"))("%s imports only from rooms above its own", (file) => {
    const room = roomOf(file);
    if (room === "cli") return;
    const allowed = mayImport[room];
    if (!allowed) throw new Error(`${room} is no known room`);
    const foreign = importsOf(file).filter((name) => roomOf(name) !== room);
    expect(foreign.filter((name) => !allowed.includes(roomOf(name)))).toEqual([]);
  });

  test("one file of fuse/ knows BlockIO", () => {
    const knowing = filesBelow("src/fuse").filter((file) =>
      importsOf(file).includes("src/image/block-io.ts"),
    );
    expect(knowing).toEqual(["src/fuse/partition-file.ts"]);
  });
});

test("fixtures-gen imports nothing from src, so that the two can prove each other", () => {
  const foreign = filesBelow("fixtures-gen").flatMap(importsOf);
  expect(foreign.filter((name) => !name.startsWith("fixtures-gen/"))).toEqual([]);
});

test.each([...filesBelow("src"), ...filesBelow("fixtures-gen")])("%s is short", (file) => {
  const lines = readFileSync(join(root, file), "utf8").split("\n").length;
  expect(lines).toBeLessThanOrEqual(MOST_LINES);
});
