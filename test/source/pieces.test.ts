import { afterAll, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { findPieces } from "../../src/source/find-pieces.ts";
import { openStream } from "../../src/source/open-stream.ts";
import { successors } from "../../src/source/piece-names.ts";
import type { ByteSource } from "../../src/source/source.ts";
import { openStored } from "../../src/source/stored.ts";
import { testWith } from "../require.ts";
import { expectSame, mixedContent, readAll, streamSuite } from "./stream-suite.ts";

const root = mkdtempSync(join(tmpdir(), "vpartclone-pieces-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function folder(): string {
  const path = join(root, String(folders++));
  mkdirSync(path);
  return path;
}

/** A folder with files of these names, of one size but for the last. */
function folderOf(
  names: readonly string[],
  content: (index: number) => string | Uint8Array = (index) => `content ${index % 10}`,
) {
  const path = folder();
  for (const [index, name] of names.entries()) writeFileSync(join(path, name), content(index));
  return path;
}

/** Cuts `content` as `split -b` does, with names that begin with `x.`. */
function split(content: Uint8Array, size: number, names: readonly string[]): string {
  const path = folder();
  const count = Math.max(1, Math.ceil(content.length / size));
  for (let index = 0; index < count; index++) {
    const piece = content.subarray(index * size, (index + 1) * size);
    writeFileSync(join(path, `x.${names[index]}`), piece);
  }
  return path;
}

const counted = (length: number, count: number) =>
  Array.from({ length: count }, (_, index) => String(index).padStart(length, "0"));
const found = (path: string) => findPieces(path)?.files.map((file) => file.split("/").at(-1));

describe("names are those of split(1)", () => {
  /** The names that our numbering gives, where there is a choice the one that grows. */
  const ours = (first: string, count: number) => {
    const names = [first];
    while (names.length < count) names.push(successors(first, names.at(-1) ?? "").at(-1) ?? "");
    return names;
  };

  for (const [options, first, count] of [
    [[], "aa", 1_500],
    [["-d"], "00", 1_100],
    [["-a", "3"], "aaa", 800],
    [["-a", "3", "-d"], "000", 200],
  ] as const) {
    testWith(["split"], `split ${options.join(" ")}`, () => {
      const path = folder();
      const stdin = new Uint8Array(count);
      const cmd = ["split", ...options, "-b", "1", "-", ""];
      expect(Bun.spawnSync({ cmd, cwd: path, stdin }).exitCode).toBe(0);
      expect(readdirSync(path).sort()).toEqual(ours(first, count));
    });
  }

  test("as POSIX has it, zz is the last", () => {
    expect(successors("aa", "yz")).toEqual(["za", "zaaa"]);
    expect(successors("aa", "zy")).toEqual(["zz"]);
    expect(successors("aa", "zz")).toEqual([]);
    expect(successors("000", "999")).toEqual([]);
    expect(successors("aa", "zyzz")).toEqual(["zzaaaa"]);
  });
});

describe("finding the pieces", () => {
  test("by any of them, and by what their names begin with", () => {
    const names = ["sda1.img.aa", "sda1.img.ab", "sda1.img.ac"];
    const path = folderOf([...names, "sda1.img.info", "sda1.other.ad", "sda2.img.aa"]);
    for (const name of [...names, "sda1.img", "sda1.img."]) {
      expect(found(join(path, name))).toEqual(names);
    }
    expect(found(join(path, "sda2.img"))).toEqual(["sda2.img.aa"]);
    expect(found(join(path, "sda1.img.info"))).toBeUndefined();
    expect(found(join(path, "sda1"))).toBeUndefined();
  });

  test("of letters and digits, of any length", () => {
    for (const names of [["aa", "ab"], ["aaa", "aab"], ["00", "01"], counted(3, 120)]) {
      const path = folderOf(names.map((name) => `x.${name}`));
      expect(found(join(path, "x"))).toEqual(names.map((name) => `x.${name}`));
    }
  });

  test("za to zz of `split -a 2`, and zaaa of a split that grows", () => {
    const letters = [..."abcdefghijklmnopqrstuvwxyz"];
    const all = letters.flatMap((a) => letters.map((b) => `x.${a}${b}`));
    const posix = folderOf(all);
    expect(found(join(posix, "x.zb"))).toEqual(all);
    const grown = [...all.filter((name) => !name.startsWith("x.z")), "x.zaaa", "x.zaab"];
    expect(found(join(folderOf(grown), "x.zaab"))).toEqual(grown);
    const both = join(folderOf([...all, "x.zaaa"]), "x");
    expect(() => findPieces(both)).toThrow("both x.za and x.zaaa may be the next piece");
  });

  test("FOG's, whose first has no suffix", () => {
    const names = ["d1p1.img", "d1p1.img.001", "d1p1.img.002"];
    const path = folderOf([...names, "d1p10.img"]);
    for (const name of names) expect(found(join(path, name))).toEqual(names);
    expect(found(join(path, "d1p10.img"))).toBeUndefined();
  });

  test.each([
    [["x.aa", "x.ab", "x.ad"], "x.aa", "the piece x.ac is missing, though x.ad is there"],
    [["x.aa", "x.ab", "x.ad"], "x.ad", "the piece x.ac is missing, though x.ad is there"],
    [["x.ab", "x.ac"], "x.ab", "the piece x.aa is missing, though x.ab is there"],
    [["x.ab", "x.ac"], "x", "the piece x.aa is missing, though x.ab is there"],
    [["x.000", "x.002"], "x", "the piece x.001 is missing, though x.002 is there"],
    [["x", "x.001", "x.003"], "x", "the piece x.002 is missing, though x.003 is there"],
    [["x.aa", "x.000"], "x", "x.000 and x.aa begin two sequences of pieces"],
    [[...counted(2, 10), "0a", "10"].map((name) => `x.${name}`), "x", "x.0a follows x.09"],
  ])("%p, by %s: %s", (names, name, message) => {
    expect(() => findPieces(join(folderOf(names), name))).toThrow(message);
  });

  test("files of other kinds beside them are no pieces", () => {
    const names = ["x.aaa", "x.aab"];
    const path = folderOf([...names, "x.asc", "x.crc", "x.sha", "x.sig", "x.tmp", "x.sha256"]);
    expect(found(join(path, "x"))).toEqual(names);
  });

  test("files that are whole are no pieces, whatever their names", () => {
    const whole = () => "partclone-image";
    const rotated = folderOf(["x.00", "x.01", "x.02"], whole);
    for (const name of ["x.00", "x.01"]) expect(found(join(rotated, name))).toBeUndefined();
    const dated = folderOf(["x.20240101", "x.20240102"], whole);
    expect(found(join(dated, "x.20240102"))).toBeUndefined();
    const older = folderOf(["x.img", "x.img.001"], whole);
    expect(found(join(older, "x.img"))).toBeUndefined();
    const gzip = Bun.gzipSync(new Uint8Array(9));
    const packed = folderOf(["x.gz", "x.gz.001"], () => gzip);
    expect(found(join(packed, "x.gz"))).toBeUndefined();
    const named = folderOf(["x.gz", "x.xz", "x.img", "x.aa"]);
    for (const name of ["x.gz", "x.xz", "x.img"]) {
      expect(found(join(named, name))).toBeUndefined();
    }
  });
});

const bySize = (size: number) => async (content: Uint8Array) =>
  openStream(join(split(content, size, counted(3, 1000)), "x"));
streamSuite("pieces of 64 KiB, in order", bySize(65_536));
streamSuite("pieces of odd sizes, in order", bySize(300_007));

describe("pieces in any order", () => {
  const content = mixedContent(1_000_003);

  test("read as the whole would", async () => {
    const read = fc.record({ at: fc.nat(content.length), lengths: fc.array(fc.nat(60_000)) });
    const property = fc.asyncProperty(
      fc.integer({ min: 2_000, max: 400_000 }),
      fc.array(read),
      async (size, reads) => {
        await using source = openStored(join(split(content, size, counted(3, 1000)), "x"));
        expect(source.size).toBe(content.length);
        for (const { at, lengths } of reads) {
          const total = lengths.reduce((sum, length) => sum + length, 0);
          const pieces = lengths.map((length) => new Uint8Array(length).fill(0xa5));
          if (at + total > content.length) {
            await expect(source.readPieces(pieces, at)).rejects.toThrow("the image ends before");
            continue;
          }
          await source.readPieces(pieces, at);
          expectSame(Buffer.concat(pieces), content.subarray(at, at + total));
        }
      },
    );
    await fc.assert(property, { numRuns: 30 });
  }, 60_000);

  test("keep few files open", async () => {
    const path = split(content, 2_000, counted(3, 1000));
    const open = () => readdirSync("/proc/self/fd").length;
    const before = open();
    {
      await using stream = await openStream(join(path, "x.000"));
      expectSame(await readAll(stream), content);
      expect(open() - before).toBeLessThan(10);
    }
    expect(open()).toBe(before);
  });
});

describe("what is wrong with pieces", () => {
  const content = mixedContent(100_000);
  const names = ["aa", "ab", "ac", "ad", "ae"];

  test("the last is missing: the read behind it says which", async () => {
    const path = split(content, 25_000, names);
    rmSync(join(path, "x.ad"));
    await using source: ByteSource = openStored(join(path, "x"));
    expect(source.ending).toBe("the piece x.ad is missing");
    const read = source.read(new Uint8Array(10), 74_995);
    await expect(read).rejects.toThrow("bytes 74995 to 75004: the piece x.ad is missing");
  });

  test("the last is cut short", async () => {
    const path = split(content, 30_000, names);
    await using source: ByteSource = openStored(join(path, "x"));
    expect(source.ending).toBe("its last piece, x.ad, is cut short");
  });

  test("one in the middle is cut short: it would shift what follows", () => {
    const path = split(content, 25_000, names);
    truncateSync(join(path, "x.ab"), 24_999);
    expect(() => openStored(join(path, "x.ac"))).toThrow(
      "x.ab: has 24999 bytes, where the first piece has 25000: one of them is damaged",
    );
  });

  test("one is exchanged while the image is open", async () => {
    const path = split(content, 25_000, names);
    await using source = openStored(join(path, "x"));
    await source.read(new Uint8Array(10), 0);
    copyFileSync(join(path, "x.ab"), join(path, "y"));
    rmSync(join(path, "x.ab"));
    copyFileSync(join(path, "y"), join(path, "x.ab"));
    const place = { code: "CHANGED", message: expect.stringContaining("x.ab") };
    await expect(source.read(new Uint8Array(10), 25_000)).rejects.toMatchObject(place);
    await source.read(new Uint8Array(10), 50_000);
  });

  test("one is written to while the image is open", async () => {
    const path = split(content, 25_000, names);
    await using source = openStored(join(path, "x"));
    await source.read(new Uint8Array(10), 25_000);
    utimesSync(join(path, "x.ab"), 1, 1);
    await Bun.sleep(150);
    const read = source.read(new Uint8Array(10), 25_000);
    await expect(read).rejects.toMatchObject({ code: "CHANGED" });
  });

  test("one is written over by a shorter one before it is first read", async () => {
    const path = split(content, 25_000, names);
    await using source = openStored(join(path, "x"));
    writeFileSync(join(path, "x.ab"), new Uint8Array(20_000).fill(7));
    const read = source.read(new Uint8Array(10), 25_000);
    await expect(read).rejects.toMatchObject({ code: "CHANGED" });
  });
});
