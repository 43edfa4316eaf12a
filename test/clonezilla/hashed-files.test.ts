import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { basename } from "node:path";
import fc from "fast-check";
import { readChecksumLists } from "../../src/clonezilla/checksum-lists.ts";
import { hashedFiles } from "../../src/clonezilla/hashed-files.ts";
import { ALGORITHMS } from "../../src/clonezilla/hashes.ts";
import { runCommand } from "../cli/program.ts";
import { testWith } from "../require.ts";
import { written } from "./written.ts";

test("files are read once and hashed, however much of them somebody wants", async () => {
  const sizes = fc.array(fc.nat(700_000), { minLength: 1, maxLength: 4 });
  const property = fc.asyncProperty(sizes, fc.nat(1_500_000), async (lengths, wanted) => {
    const contents = lengths.map((length, index) => Buffer.alloc(length, `${index} of ${length}`));
    using folder = written(Object.fromEntries(contents.map((each, index) => [`f${index}`, each])));
    const [md5] = ALGORITHMS;
    if (!md5) throw new Error("unreachable");
    const files = contents.map((content, index) => {
      const digest = createHash("md5").update(content).digest("hex");
      // Every second list is wrong.
      const said = index % 2 === 0 ? digest : digest.replace(/^./, (c) => (c === "0" ? "1" : "0"));
      return {
        path: `${folder.path}/f${index}`,
        listed: [{ algorithm: md5, digest: said }],
      };
    });
    let bytes = 0;
    const hashed = hashedFiles(files, (count) => {
      bytes += count;
    });
    const whole = Buffer.concat(contents);
    const seen = new Uint8Array(Math.min(wanted, whole.length));
    {
      await using stream = hashed.stream("all");
      expect(await stream.read(seen)).toBe(seen.length);
    }
    expect(Buffer.compare(seen, whole.subarray(0, seen.length))).toBe(0);
    const results = await hashed.finish();
    expect(results.map(({ wrong }) => wrong)).toEqual(
      contents.map((_, index) => (index % 2 === 0 ? [] : ["MD5SUMS"])),
    );
    expect(bytes).toBe(whole.length);
  });
  await fc.assert(property, { numRuns: 30 });
});

testWith(
  ["md5sum", "sha1sum", "b2sum", "b3sum"],
  "the lists of md5sum and its like are read, odd names too",
  async () => {
    using folder = written({
      plain: "a",
      "two  spaces": "b",
      "*star": "c",
      "line\nbreak": "d",
      "back\\slash": "e",
    });
    const commands = { md5sum: "MD5SUMS", sha1sum: "SHA1SUMS", b2sum: "B2SUMS", b3sum: "B3SUMS" };
    for (const [command, list] of Object.entries(commands)) {
      const line = `${command} -- * > ${list}`;
      expect(runCommand(["sh", "-c", line], { cwd: folder.path }).status).toBe(0);
    }
    const { byName, problems } = readChecksumLists(folder.path, Object.values(commands));
    expect(problems).toEqual([]);
    expect([...(byName.get("line\nbreak") ?? [])]).toHaveLength(4);
    const files = [...byName].map(([name, listed]) => ({ path: `${folder.path}/${name}`, listed }));
    const results = await hashedFiles(files, () => {}).finish();
    expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
    expect(results.map(({ path }) => basename(path)).sort()).toEqual(
      [
        "plain",
        "two  spaces",
        "*star",
        "line\nbreak",
        "back\\slash",
        "MD5SUMS",
        "SHA1SUMS",
        "B2SUMS",
      ].sort(),
    );
  },
);

test("what is no hash of a file of the folder is told", () => {
  using folder = written({
    MD5SUMS: `${"0".repeat(32)}  ../../etc/passwd\n${"0".repeat(31)}  short\nnothing\n`,
    SHA1SUMS: "",
  });
  expect(readChecksumLists(folder.path, ["MD5SUMS", "SHA1SUMS"])).toEqual({
    byName: new Map(),
    problems: [
      "MD5SUMS: line 1 is no hash of a file",
      "MD5SUMS: line 2 is no hash of a file",
      "MD5SUMS: line 3 is no hash of a file",
      "MD5SUMS: has no hash of any file",
      "SHA1SUMS: has no hash of any file",
    ],
  });
});
