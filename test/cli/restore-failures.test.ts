import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { example } from "../../fixtures-gen/examples.ts";
import { until } from "../fuse/harness.ts";
import { loopDevice, must } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { imageOfZeros } from "../zeros.ts";
import { runProgram, scratch, scriptOf } from "./program.ts";

/** What a restore that fails, or must not begin, leaves behind and says. */

const files = scratch();
afterAll(() => files[Symbol.dispose]());
const at = (name: string) => join(files.path, name);
const restore = (image: string, target: string, ...options: readonly string[]) =>
  runProgram("vpartclone", ["-q", image, "--restore", target, ...options], { cwd: files.path });

const { image } = example("v2-crc32");

/** A file system of its own, with room for `bytes`. */
function smallDisk(stack: DisposableStack, name: string, bytes: number): string {
  const directory = at(name);
  mkdirSync(directory);
  must(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "none", directory]);
  stack.defer(() => must(["umount", directory]));
  return directory;
}

describe("--restore never writes over the image, even with --force:", () => {
  const isImage = (target: string) =>
    `vpartclone: ${target}: is the image itself; choose another file\n`;

  test("what standard input is read from", () => {
    const stdin = openSync(files.file("x.img", image), "r");
    try {
      const { exitCode, stderr } = Bun.spawnSync({
        cmd: [process.execPath, scriptOf("vpartclone"), "-", "--restore", "x.img", "--force"],
        cwd: files.path,
        stdio: [stdin, "pipe", "pipe"],
      });
      expect([exitCode, stderr.toString()]).toEqual([1, isImage("x.img")]);
    } finally {
      closeSync(stdin);
    }
    expect(readFileSync(at("x.img"))).toEqual(Buffer.from(image));
  });
});

describe("--restore that fails", () => {
  const SIZE = 64 * 2 ** 20;
  const ROOM = 5 * 2 ** 20;
  const whole = imageOfZeros(at("whole.img"), SIZE, "crc32");

  testWith(["root"], "on a full disk says to the byte what is written", () => {
    using stack = new DisposableStack();
    const target = join(smallDisk(stack, "full", ROOM), "out");
    const { status, err } = restore(whole, target);
    const written = statSync(target).size;
    expect(written).toBeGreaterThan(ROOM / 2);
    expect(written).toBeLessThanOrEqual(ROOM);
    expect({ status, err }).toEqual({
      status: 1,
      err: `vpartclone: ${target}: has no space left; not restored: ${target} is incomplete, the partition is written up to byte ${written.toLocaleString("en")}, nothing behind it\n`,
    });
  });

  const NEEDS = ["root", "/dev/loop-control", "losetup", "blkid"];
  testWith(NEEDS, "when the disk is to keep it says that nobody knows", () => {
    using stack = new DisposableStack();
    const backing = join(smallDisk(stack, "failing", ROOM), "device");
    must(["truncate", "--size", String(SIZE), backing]);
    const device = loopDevice(stack, backing, "rw");
    const { status, err } = restore(whole, device);
    expect(status).toBe(1);
    expect(err).toEndWith(
      `not restored: ${device} is incomplete, how much of the partition has reached the disk is not known\n`,
    );
  });
});

describe("--restore that is interrupted ends by the signal, and says what is written", () => {
  const SIZE = 512 * 2 ** 20;
  const whole = imageOfZeros(at("zeros.img"), SIZE, "crc32");

  const started = (target: string, input: string, stdin: "ignore" | ReadableStream = "ignore") =>
    Bun.spawn([process.execPath, scriptOf("vpartclone"), "-q", input, "--restore", target], {
      stdio: [stdin, "ignore", "pipe"],
    });
  const hasBegun = (target: string) => existsSync(target) && statSync(target).size > 0;

  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    test(`${signal}, from a file`, async () => {
      const target = at(`target-${signal}`);
      const child = started(target, whole);
      await until(() => hasBegun(target));
      child.kill(signal);
      const said = await new Response(child.stderr).text();
      await child.exited;
      const written = statSync(target).size;
      expect(written).toBeLessThan(SIZE);
      expect([child.signalCode, said]).toEqual([
        signal,
        `vpartclone: interrupted; not restored: ${target} is incomplete, the partition is written up to byte ${written.toLocaleString("en")}, nothing behind it\n`,
      ]);
    });
  }

  test("SIGINT, from a pipe in which nothing comes", async () => {
    const target = at("target-pipe");
    const stalling = ["sh", "-c", 'head -c 40M "$1"; exec sleep 60', "sh", whole];
    const input = Bun.spawn(stalling, { stdout: "pipe" });
    const child = started(target, "-", input.stdout);
    await until(() => hasBegun(target));
    // Till all that comes is read.
    await Bun.sleep(300);
    child.kill("SIGINT");
    expect(await new Response(child.stderr).text()).toStartWith("vpartclone: interrupted; ");
    await child.exited;
    input.kill();
    expect(child.signalCode).toBe("SIGINT");
  });
});
