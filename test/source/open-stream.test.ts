import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { openStream } from "../../src/source/open-stream.ts";
import { testWith } from "../require.ts";
import type { Drained } from "./drain.ts";
import { scratch } from "./scratch.ts";
import { expectSame, mixedContent, readAll, streamSuite } from "./stream-suite.ts";

const made = scratch();
const DRAIN = [process.execPath, join(import.meta.dirname, "drain.ts")];
const content = mixedContent(3_000_000);
const compressed = Bun.gzipSync(content.slice());

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Runs drain.ts in a shell's pipeline: `$@` is its command. */
async function drainIn(script: string): Promise<Drained> {
  const command = ["sh", "-c", script, "sh", ...DRAIN];
  const child = Bun.spawn(command, { stdin: "ignore", stderr: "inherit" });
  const text = await child.stdout.text();
  expect(await child.exited).toBe(0);
  return JSON.parse(text);
}

streamSuite("a file that is not compressed", (bytes) => openStream(made.file("image", bytes)));

test("a file's stream has the file's name and size", async () => {
  const path = made.file("image", content);
  await using stream = await openStream(path);
  expect(stream.name).toBe(path);
  expect(stream.size).toBe(content.length);
});

test("a compressed file's stream has the file's name and no size", async () => {
  const path = made.file("image", compressed);
  await using stream = await openStream(path);
  expect(stream.name).toBe(path);
  expect(stream.size).toBeNull();
});

test("the content says whether a file is compressed, not its name", async () => {
  const text = new TextEncoder().encode("This is no archive.\n");
  await using stream = await openStream(made.file("text.gz", text));
  expectSame(await readAll(stream), text);
});

describe("pipes", () => {
  const image = made.file("image", content);
  const archive = made.file("archive", compressed);

  test.each([
    ["standard input", `cat ${image} | "$@" -`],
    ["standard input, compressed", `cat ${archive} | "$@" -`],
    ["/dev/stdin, compressed", `cat ${archive} | "$@" /dev/stdin`],
    ["a file on standard input", `"$@" - < ${image}`],
    ["a compressed file on standard input", `"$@" - < ${archive}`],
    ["a writer of few bytes at a time", `(head -c 3; sleep 0.2; cat) < ${archive} | "$@" -`],
  ])("%s", async (_, script) => {
    expect(await drainIn(script)).toMatchObject({
      bytes: content.length,
      sha256: sha256(content),
    });
  });

  test("a file on standard input is read from where it stands", async () => {
    const seen = await drainIn(`(dd bs=1000 count=1 of=/dev/null 2>/dev/null; "$@" -) < ${image}`);
    expect(seen.sha256).toBe(sha256(content.subarray(1000)));
  });

  testWith(["mkfifo"], "a FIFO", async () => {
    const fifo = made.path("fifo");
    const seen = await drainIn(`mkfifo ${fifo}; cat ${archive} > ${fifo} & "$@" ${fifo}`);
    expect(seen.sha256).toBe(sha256(content));
  });

  test("a compressed pipe that ends early is an error", async () => {
    const { error } = await drainIn(`head -c 50000 ${archive} | "$@" -`);
    expect(error?.code).toBe("CORRUPT");
    expect(error?.message).toStartWith("-: the gzip data is damaged or incomplete");
  });
});

describe("closing early", () => {
  test.each([
    ["a plain pipe", "cat /dev/zero"],
    ["a compressed pipe", "gzip -1c /dev/urandom"],
  ])("ends the process: %s", async (_, writer) => {
    const seen = await drainIn(`${writer} 2>/dev/null | "$@" - 1000000`);
    expect(seen).toMatchObject({ bytes: 1_000_000 });
    expect(seen.error).toBeUndefined();
  });

  test("does not wait for a writer that waits", async () => {
    // What does not compress comes out as it goes in, so the decompressor waits for more by then.
    const begun = Bun.gzipSync(randomBytes(500_000)).subarray(0, 256 * 1024);
    const child = Bun.spawn([...DRAIN, "-", "200000"], { stdin: "pipe", stderr: "inherit" });
    child.stdin.write(begun);
    await child.stdin.flush();
    expect(await child.exited).toBe(0);
    const seen: Drained = JSON.parse(await child.stdout.text());
    expect(seen.bytes).toBe(200_000);
  }, 10_000);

  test("closes the file, of a plain and of a compressed image", async () => {
    for (const path of [made.file("image", content), made.file("image", compressed)]) {
      const stream = await openStream(path);
      await stream.read(new Uint8Array(100));
      expect(openFiles()).toContain(path);
      await stream[Symbol.asyncDispose]();
      expect(openFiles()).not.toContain(path);
    }
  });
});

function openFiles(): (string | null)[] {
  return readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return null; // The listing's own descriptor is gone by now.
    }
  });
}

describe("what cannot be read says so in one line", () => {
  test.each([
    [import.meta.dirname, "is a directory, not an image file; vclonezilla opens folders of images"],
    ["/no/such/image", "no such file"],
  ])("%s %s", async (path, reason) => {
    const message = `${path}: ${reason}`;
    await expect(openStream(path)).rejects.toMatchObject({ code: "SYSTEM", message });
  });

  testWith(["script"], "a terminal", async () => {
    const command = DRAIN.join(" ");
    const { stdout } = Bun.spawnSync(["script", "-qec", `${command} -`, "/dev/null"], {
      stdin: "ignore",
    });
    expect(stdout.toString()).toContain("-: standard input is a terminal; pipe an image into it");
  });
});
