import { afterAll, describe, expect } from "bun:test";
import { chmodSync, closeSync, openSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { example } from "../../fixtures-gen/examples.ts";
import { mountAt } from "../../src/fuse/mount-table.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  ROOT,
  run,
  USER,
  USERS,
  type User,
  until,
} from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { compressed } from "./compressors.ts";
import { leftOf, type MountedFiles, mountFiles, processesOf } from "./files-mounted.ts";
import { linesOf, runProgram, scratch } from "./program.ts";

/** The life of `--files`: by the kernel's driver as root, by fuse2fs as an ordinary user. */

const TIMEOUT = 60_000;
const files = scratch();
afterAll(() => files[Symbol.dispose]());
chmodSync(files.path, 0o755);

const GOLDEN = resolve(import.meta.dir, "../golden/ext4-v2-xxh128-k8.img");
let images = 0;

/** A copy of its own, so that what belongs to a mount is told by the name. */
const golden = (): string =>
  files.file(`golden-${process.pid}-${images++}.img`, readFileSync(GOLDEN));

const needs = (user: User): string[] =>
  user === ROOT
    ? [...mountNeeds(ROOT), "/dev/loop-control", "kernel:ext4"]
    : [...mountNeeds(USER), "fuse2fs"];

function shown(user: User): MountedFiles {
  if (user === USER) openDeviceToAll();
  return mountFiles(user, golden());
}

const isServer = (args: readonly string[]) => args.includes("--files");
const isGuard = (args: readonly string[]) => args[0] === "/bin/sh";
const isDriver = (args: readonly string[]) => basename(args[0] ?? "") === "fuse2fs";

function kill({ directory }: MountedFiles, ...which: ((args: readonly string[]) => boolean)[]) {
  const wanted = processesOf(directory).filter(({ args }) => which.some((is) => is(args)));
  expect(wanted).toHaveLength(which.length);
  for (const { pid } of wanted) process.kill(pid, "SIGKILL");
}

/** The image as a file of the name, or in pieces; returns the path to name it by. */
type Form = (name: string, bytes: Uint8Array) => string;
const whole: Form = (name, bytes) => files.file(name, bytes);
const split: Form = (name, bytes) => {
  const half = Math.ceil(bytes.length / 2);
  const pieces = [bytes.subarray(0, half), bytes.subarray(half)];
  const [first = ""] = pieces.map((piece, index) => files.file(`${name}.a${"ab"[index]}`, piece));
  return first;
};
/** Of a compressed image, the main thread answers the requests. */
const forms: Readonly<Record<string, (name: string) => string>> = {
  "gzip's": (name) => whole(`${name}.gz`, compressed("gzip", readFileSync(GOLDEN))),
  "zstd's": (name) => whole(`${name}.zst`, compressed("zstd", readFileSync(GOLDEN))),
  "zstd's in pieces": (name) => split(`${name}.zst`, compressed("zstd", readFileSync(GOLDEN))),
  pieces: (name) => split(name, readFileSync(GOLDEN)),
};

for (const user of USERS) {
  describe(`as ${user.name}`, () => {
    for (const [form, write] of Object.entries(forms)) {
      testWith(
        [...needs(user), "zstd"],
        `${form}: the same files; a killed server leaves nothing`,
        async () => {
          await using plain = shown(user);
          const image = write(`golden-${process.pid}-${images++}.img`);
          const LIST = 'cd "$1" && find . && find . -type f -exec sha256sum {} +';
          const list = ({ directory }: MountedFiles) =>
            linesOf(run(user, "sh", "-c", LIST, "sh", directory).out.toString()).sort();
          await using mounted = mountFiles(user, image);
          expect(list(mounted)).toEqual(list(plain));
          expect(list(plain).length).toBeGreaterThan(3);
          kill(mounted, isServer);
          await until(() => mountAt(mounted.directory) === null);
          await until(() => processesOf(mounted.directory).length === 0);
          await using _next = shown(user);
          await until(() => leftOf(mounted).length === 0);
        },
        TIMEOUT,
      );
    }

    testWith(
      needs(user),
      "FUS-FILES-ONE-UMOUNT: what is printed; the partition's mount is out of sight; umount ends all",
      async () => {
        await using mounted = shown(user);
        const { directory, out } = mounted;
        expect(linesOf(out)).toEqual([
          `${directory}: the files of the EXTFS partition, 256.0 KiB (262,144 bytes), read-only`,
          `  end it:     ${user === ROOT ? "umount" : "fusermount3 -u"} ${directory}`,
        ]);
        expect(run(user, "ls", directory).out.toString()).toContain("lost+found");
        const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
        expect(mounts.filter((line) => line.includes(mounted.image))).toEqual([]);
        expect(run(ROOT, "umount", directory).code).toBe(0);
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      needs(user),
      "FUS-FILES-KILLED: the server is killed: mounts and processes go, with the next start its record",
      async () => {
        await using mounted = shown(user);
        kill(mounted, isServer);
        await until(() => mountAt(mounted.directory) === null);
        await until(() => processesOf(mounted.directory).length === 0);
        await using _next = shown(user);
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      needs(user),
      "FUS-FILES-KILLED: the guard is killed: umount still ends all",
      async () => {
        await using mounted = shown(user);
        kill(mounted, isGuard);
        expect(run(ROOT, "umount", mounted.directory).code).toBe(0);
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      needs(user),
      "FUS-FILES-KILLED: server and guard are killed: the next start clears what they left",
      async () => {
        await using mounted = shown(user);
        kill(mounted, isGuard);
        kill(mounted, isServer);
        expect(mountAt(mounted.directory)).not.toBeNull();
        await using _next = shown(user);
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      needs(user),
      "FUS-SIGNAL: a signal to the server ends it all, unless the files are in use",
      async () => {
        await using mounted = shown(user);
        const [server] = processesOf(mounted.directory).filter(({ args }) => isServer(args));
        if (!server) throw new Error("no server");
        const sleep = ["sh", "-c", 'cd "$1" && exec sleep 60', "sh", mounted.directory];
        const busy = Bun.spawn([...user.prefix, ...sleep]);
        await until(
          () =>
            run(ROOT, "readlink", `/proc/${busy.pid}/cwd`).out.toString().trim() ===
            mounted.directory,
        );
        process.kill(server.pid, "SIGTERM");
        await Bun.sleep(300);
        expect(mountAt(mounted.directory)).not.toBeNull();
        expect(run(user, "ls", mounted.directory).code).toBe(0);
        busy.kill();
        await busy.exited;
        process.kill(server.pid, "SIGTERM");
        await until(() => leftOf(mounted).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      needs(user),
      "FUS-FILES-ONE-UMOUNT: a partition without a file system: one line, and nothing is left",
      () => {
        if (user === USER) openDeviceToAll();
        using point = mountDirectory(user);
        const image = files.file(`noise-${user.name}.img`, example("v2-crc32").image);
        expect(() => mountFiles(user, image)).toThrow(/the files cannot be shown: /);
        expect(leftOf({ image, directory: point.path })).toEqual([]);
      },
      TIMEOUT,
    );
  });
}

testWith(
  needs(USER),
  "FUS-FILES-KILLED: the driver is killed: its mount goes, the server ends",
  async () => {
    await using mounted = shown(USER);
    kill(mounted, isDriver);
    await until(() => leftOf(mounted).length === 0);
  },
  TIMEOUT,
);

testWith(
  needs(USER),
  "FUS-FILES-KILLED: the driver is killed after the guard: its mount goes all the same",
  async () => {
    await using mounted = shown(USER);
    kill(mounted, isGuard);
    await until(() => !processesOf(mounted.directory).some(({ args }) => isGuard(args)));
    kill(mounted, isDriver);
    await until(() => leftOf(mounted).length === 0);
  },
  TIMEOUT,
);

testWith(
  needs(ROOT),
  "FUS-FILES-ONE-UMOUNT: a file that is open keeps the mount; after umount -l it is read to its end",
  async () => {
    await using mounted = shown(ROOT);
    const name = readdirSync(mounted.directory, { recursive: true, encoding: "utf8" })
      .map((each) => join(mounted.directory, each))
      .find((each) => run(ROOT, "test", "-f", each).code === 0);
    if (name === undefined) throw new Error("the golden image has no file");
    const fd = openSync(name, "r");
    try {
      expect(run(ROOT, "umount", mounted.directory).code).not.toBe(0);
      expect(run(ROOT, "umount", "-l", mounted.directory).code).toBe(0);
      expect(readFileSync(fd).length).toBeGreaterThan(0);
      expect(processesOf(mounted.directory).length).toBeGreaterThan(0);
    } finally {
      closeSync(fd);
    }
    await until(() => leftOf(mounted).length === 0);
  },
  TIMEOUT,
);

testWith(needs(ROOT), "--files: a mount point that cannot be used is told at once", () => {
  const image = golden();
  const missing = runProgram("vpartclone", [image, "--files", "-m", join(files.path, "missing")]);
  expect(missing.status).toBe(1);
  expect(linesOf(missing.err)).toEqual([expect.stringContaining("does not exist: create")]);
});
