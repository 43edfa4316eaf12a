import { dlopen, ptr, read } from "bun:ffi";
import { afterAll, expect } from "bun:test";
import * as fs from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { testWith } from "../require.ts";
import { fixture, folder, isRight, mounted, NEEDS, readRange, TIMEOUT } from "./command.ts";

const LIBC = "libc.so.6";

/** What node:fs does not have. */
const opened = () =>
  dlopen(LIBC, {
    setxattr: { args: ["ptr", "ptr", "ptr", "u64", "i32"], returns: "i32" },
    removexattr: { args: ["ptr", "ptr"], returns: "i32" },
    fallocate: { args: ["i32", "i32", "i64", "i64"], returns: "i32" },
    mmap: { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "i64" },
    mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
    __errno_location: { args: [], returns: "ptr" },
  });
let library: ReturnType<typeof opened> | null = null;
const libc = () => {
  library ??= opened();
  return library.symbols;
};
afterAll(() => library?.close());

const text = (value: string) => ptr(Buffer.from(`${value}\0`));

/** Throws the error's name where a call of C says -1. */
function called(result: number | bigint): void {
  if (Number(result) !== -1) return;
  const number = read.i32(libc().__errno_location() ?? 0, 0);
  const code = Object.entries(constants.errno).find(([, value]) => value === number)?.[0];
  throw Object.assign(new Error(code), { code });
}

function withReader(file: string, work: (fd: number) => void): void {
  const fd = fs.openSync(file, "r");
  try {
    work(fd);
  } finally {
    fs.closeSync(fd);
  }
}

const { O_WRONLY, O_RDWR, O_TRUNC, O_APPEND, O_DIRECTORY } = fs.constants;
const O_TMPFILE = 0o20000000 | O_DIRECTORY;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const S_IFCHR = 0o20000;

const opens = Object.entries({
  O_WRONLY,
  O_RDWR,
  O_TRUNC: O_WRONLY | O_TRUNC,
  O_APPEND: O_WRONLY | O_APPEND,
});

/** Everything that changes a file or a directory, by name. */
const attempts: Readonly<Record<string, (file: string, directory: string) => void>> = {
  ...Object.fromEntries(
    opens.map(([name, flags]) => [`open ${name}`, (file: string) => void fs.openSync(file, flags)]),
  ),
  "open O_CREAT": (_, directory) => void fs.openSync(join(directory, "new"), "w"),
  "open O_TMPFILE": (_, directory) => void fs.openSync(directory, O_TMPFILE | O_RDWR, 0o600),
  truncate: (file) => fs.truncateSync(file, 0),
  "truncate, longer": (file) => fs.truncateSync(file, 2 ** 40),
  chmod: (file) => fs.chmodSync(file, 0o666),
  "chmod the directory": (_, directory) => fs.chmodSync(directory, 0o777),
  chown: (file) => fs.chownSync(file, 1, 1),
  utimes: (file) => fs.utimesSync(file, 1, 1),
  unlink: (file) => fs.unlinkSync(file),
  rename: (file, directory) => fs.renameSync(file, join(directory, "new")),
  link: (file, directory) => fs.linkSync(file, join(directory, "new")),
  symlink: (file, directory) => fs.symlinkSync(file, join(directory, "new")),
  mkdir: (_, directory) => fs.mkdirSync(join(directory, "new")),
  rmdir: (_, directory) => fs.rmdirSync(join(directory, "sda1")),
  mknod: (_, directory) => called(libc().mknod(text(join(directory, "new")), S_IFCHR, 259n)),
  setxattr: (file) => called(libc().setxattr(text(file), text("user.x"), text("1"), 1n, 0)),
  removexattr: (file) => called(libc().removexattr(text(file), text("user.x"))),
  "a shared mapping to write to": (file) =>
    withReader(file, (fd) => called(libc().mmap(0n, 4096n, PROT_READ_WRITE, MAP_SHARED, fd, 0n))),
  "write to a descriptor for reading": (file) =>
    withReader(file, (fd) => void fs.writeSync(fd, Buffer.from("x"), 0, 1, 0)),
  fallocate: (file) => withReader(file, (fd) => called(libc().fallocate(fd, 0, 0n, 4096n))),
};

/** A descriptor that is not for writing is EBADF before anybody looks at the file. */
const REFUSALS = /^(EROFS|EACCES|EPERM)$/;
const OF_DESCRIPTORS = /^EBADF$/;

testWith(
  [...NEEDS, "root"],
  "no way of writing changes anything",
  async () => {
    using made = folder();
    const whole = fixture();
    const image = made.file("sda1.img", whole.image);
    await using mount = await mounted(image);
    const before = fs.statSync(mount.file);
    for (const [name, attempt] of Object.entries(attempts)) {
      let code = "nothing was refused";
      try {
        attempt(mount.file, mount.directory);
      } catch (error) {
        code = (error as NodeJS.ErrnoException).code ?? String(error);
      }
      const isByDescriptor = /descriptor|fallocate/.test(name);
      expect([name, code]).toEqual([
        name,
        expect.stringMatching(isByDescriptor ? OF_DESCRIPTORS : REFUSALS),
      ]);
    }
    expect(fs.readdirSync(mount.directory)).toEqual(["sda1"]);
    expect(fs.statSync(mount.file)).toEqual(before);
    expect(isRight(readRange(mount.file, 0, whole.partition.length), whole, 0)).toBe(true);
    // Nothing is written beside the image either, nor to it.
    expect(fs.readdirSync(made.path)).toEqual(["sda1.img"]);
    expect(Buffer.compare(fs.readFileSync(image), whole.image)).toBe(0);
  },
  TIMEOUT,
);
