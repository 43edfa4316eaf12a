import { afterAll, describe, expect } from "bun:test";
import { chmodSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  programCommand,
  ROOT,
  run,
  USER,
  USERS,
  type User,
  until,
} from "../fuse/harness.ts";
import { byTitle, imageForms, writeImage } from "../image-forms.ts";
import { loopDevice } from "../real/stage.ts";
import { testWith } from "../require.ts";
import { leftOf, mountFiles, type Process, processesOf } from "./files-mounted.ts";
import { mountInBackground } from "./mounted.ts";
import { linesOf, runCommand, runProgram, scratch, scriptOf } from "./program.ts";

const TIMEOUT = 60_000;
const files = scratch();
afterAll(() => files[Symbol.dispose]());
chmodSync(files.path, 0o755);

const GOLDEN = resolve(import.meta.dir, "../golden/ext4-v2-xxh128-k8.img");
let images = 0;

function as(user: User, ...args: readonly string[]) {
  if (user === USER) openDeviceToAll();
  const command = programCommand(user, scriptOf("vpartclone"), scriptOf("worker"));
  return runCommand([...user.prefix, ...command, ...args]);
}

/** The line of --mounts about a directory, its columns. */
const rowOf = (user: User, directory: string): string[] | undefined =>
  linesOf(as(user, "--mounts").out)
    .map((line) => line.split(/ {2,}/))
    .find(([first]) => first === directory);

const needs = (user: User): string[] =>
  user === ROOT ? [...mountNeeds(ROOT), "kernel:ext4"] : [...mountNeeds(USER), "fuse2fs"];

describe.each(byTitle(imageForms))("%s images:", (_, form) => {
  const golden = () =>
    writeImage(form, files.path, `mounts ${process.pid} ${images++}`, readFileSync(GOLDEN));

  for (const user of USERS) {
    describe(`as ${user.name}`, () => {
      testWith(
        needs(user),
        "--mounts tells of partitions and files; --unmount ends them, and returns when all is over",
        async () => {
          if (user === USER) openDeviceToAll();
          await using plain = mountInBackground(user, "vpartclone", golden());
          await using shown = mountFiles(user, golden());
          const [image] = readFileSync(`/proc/${plain.pid}/cmdline`, "utf8")
            .split("\0")
            .filter((arg) => /\.img(\.\w+)*$/.test(arg));
          expect(rowOf(user, plain.mountPoint)).toEqual([
            ...[plain.mountPoint, "partition", String(plain.pid), image ?? ""],
          ]);
          expect(rowOf(user, shown.directory)).toEqual([
            ...[shown.directory, "files", expect.stringMatching(/^\d+$/), shown.image],
          ]);
          for (const directory of [plain.mountPoint, shown.directory]) {
            expect(as(user, "--unmount", directory)).toEqual({ status: 0, out: "", err: "" });
            expect(mountAt(directory)).toBeNull();
            expect(rowOf(user, directory)).toBeUndefined();
          }
          const isDriver = (line: string) => /^\d+: \S*fuse2fs /.test(line);
          expect(leftOf(shown).filter((line) => !isDriver(line))).toEqual([]);
        },
        TIMEOUT,
      );
    });
  }

  testWith(
    [...needs(ROOT), "/dev/loop-control", "losetup"],
    "--unmount: what is in use stays, and what is known to use it is named",
    async () => {
      await using plain = mountInBackground(ROOT, "vpartclone", golden());
      using stack = new DisposableStack();
      const device = loopDevice(stack, plain.file, "ro");
      const { status, err } = runProgram("vpartclone", ["--unmount", plain.mountPoint]);
      expect(status).toBe(1);
      expect(err).toBe(
        `vpartclone: ${plain.mountPoint} is in use by ${device}: end what uses it first\n`,
      );
      expect(mountAt(plain.mountPoint)).not.toBeNull();
    },
    TIMEOUT,
  );

  testWith(
    needs(ROOT),
    "--unmount: what a killed server and guard left is ended, too",
    async () => {
      await using shown = mountFiles(ROOT, golden());
      const isGuard = ({ args }: Process) => args[0] === "/bin/sh";
      const all = processesOf(shown.directory);
      // First the guard, which would be faster than we are.
      for (const { pid } of [...all.filter(isGuard), ...all.filter((each) => !isGuard(each))]) {
        process.kill(pid, "SIGKILL");
      }
      await until(() => processesOf(shown.directory).length === 0);
      expect(mountAt(shown.directory)).not.toBeNull();
      expect(runProgram("vpartclone", ["--unmount", shown.directory])).toEqual({
        status: 0,
        out: "",
        err: "",
      });
      expect(mountAt(shown.directory)).toBeNull();
    },
    TIMEOUT,
  );
});

testWith(needs(ROOT), "--unmount: other mounts are none of its business", () => {
  using point = mountDirectory(ROOT);
  const refused = (directory: string) => runProgram("vpartclone", ["--unmount", directory]).err;
  const nothing = "no image is mounted there; --mounts lists those that are\n";
  expect(refused(point.path)).toBe(`vpartclone: ${point.path}: ${nothing}`);
  expect(run(ROOT, "mount", "-t", "tmpfs", "none", point.path).code).toBe(0);
  expect(refused(point.path)).toBe(`vpartclone: ${point.path}: ${nothing}`);
  expect(mountAt(point.path)?.type).toBe("tmpfs");
  const missing = join(point.path, "missing");
  expect(refused(missing)).toBe(`vpartclone: ${missing}: ${nothing}`);
});

testWith(
  mountNeeds(USER),
  "--unmount: an ordinary user is told that another's mount is not ended",
  () => {
    const directory = join(files.path, "others");
    mkdirSync(directory);
    expect(as(ROOT, GOLDEN, "-m", directory).status).toBe(0);
    expect(as(USER, "--unmount", directory)).toEqual({
      status: 1,
      out: "",
      err: `vpartclone: ${directory} is mounted by somebody else: end it as that user, or as root\n`,
    });
    expect(mountAt(directory)).not.toBeNull();
    expect(as(ROOT, "--unmount", directory).status).toBe(0);
  },
  TIMEOUT,
);

testWith(needs(ROOT), "--mounts: what is escaped in a path does not shift the columns", () => {
  const directory = join(files.path, "m\n\n\nn");
  mkdirSync(directory);
  expect(runProgram("vpartclone", [GOLDEN, "-m", directory]).status).toBe(0);
  const lines = linesOf(runProgram("vpartclone", ["--mounts"]).out);
  const row = lines.find((line) => line.includes("m\\x0a\\x0a\\x0an")) ?? "";
  expect(row.indexOf("partition  ")).toBe(lines[0]?.indexOf("SHOWS") ?? -1);
  expect(runProgram("vpartclone", ["--unmount", directory]).status).toBe(0);
});
