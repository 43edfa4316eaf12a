import { dlopen } from "bun:ffi";
import { expect } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { testWith } from "../require.ts";
import { mountNeeds, ROOT, run, startServer, USERS, type User, until } from "./harness.ts";
import { type Pattern, patternBytes } from "./pattern.ts";

const MIB = 2 ** 20;
const PATTERN: Pattern = { name: "sda1.img", size: 16 * MIB + 1000, holes: [[2 * MIB, 12 * MIB]] };
const TIMEOUT = 60_000;

const same = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

function scratch(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-scratch-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

const dd = (user: User, file: string, offset: number, size: number, ...more: string[]) =>
  run(
    user,
    "dd",
    `if=${file}`,
    `bs=${64 * 1024}`,
    "iflag=skip_bytes,count_bytes",
    `skip=${offset}`,
    `count=${size}`,
    "status=none",
    ...more,
  ).out;

for (const user of USERS) {
  testWith(
    mountNeeds(user),
    `${user.name}: every byte is where it belongs`,
    async () => {
      await using server = startServer(user, { pattern: PATTERN });
      await server.said("ready");
      expect(run(user, "ls", server.mountPoint).out.toString()).toBe("sda1.img\n");
      expect(same(run(user, "cat", server.file).out, patternBytes(PATTERN))).toBe(true);
      for (let i = 0; i < 25; i++) {
        const offset = Math.floor(Math.random() * PATTERN.size);
        const size = Math.floor(Math.random() * 300_000);
        const expected = patternBytes(PATTERN, offset, Math.min(size, PATTERN.size - offset));
        expect(same(dd(user, server.file, offset, size), expected)).toBe(true);
      }
      const direct = run(user, "dd", `if=${server.file}`, "bs=1M", "iflag=direct", "status=none");
      expect(same(direct.out, patternBytes(PATTERN))).toBe(true);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(user),
    `${user.name}: the mount shows its type, source, options and size`,
    async () => {
      const source = "/images/a, b\\c#d.img";
      await using server = startServer(user, { pattern: PATTERN, source });
      await server.said("ready");
      expect(mountAt(server.mountPoint)).toMatchObject({ type: "fuse.vpartclone", source });
      const [blocks, size, mode] = run(user, "stat", "-c", "%b %s %a", server.file)
        .out.toString()
        .trim()
        .split(" ");
      expect(Number(size)).toBe(PATTERN.size);
      expect(Number(blocks)).toBe(Math.ceil((PATTERN.size - 10 * MIB) / 512));
      expect(mode).toBe("444");
      expect(run(user, "df", "--output=source", server.mountPoint).out.toString()).toContain(
        source,
      );
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(user),
    `${user.name}: writing is refused`,
    async () => {
      await using server = startServer(user, { pattern: PATTERN });
      await server.said("ready");
      for (const command of [
        ["sh", "-c", `echo x >> ${server.file}`],
        ["touch", join(server.mountPoint, "new")],
        ["rm", "-f", server.file],
        ["truncate", "-s", "0", server.file],
        ["chmod", "600", server.file],
        ["mv", server.file, `${server.file}2`],
      ]) {
        const { code, err } = run(user, ...command);
        expect(code).not.toBe(0);
        expect(err).toMatch(/Read-only file system|Permission denied/);
      }
      expect(same(dd(user, server.file, 0, MIB), patternBytes(PATTERN, 0, MIB))).toBe(true);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(user),
    `${user.name}: one broken place gives EIO, the rest is served`,
    async () => {
      const pattern: Pattern = { ...PATTERN, broken: [MIB, MIB + 4096] };
      await using server = startServer(user, { pattern });
      await server.said("ready");
      for (let i = 0; i < 3; i++) {
        expect(
          run(
            user,
            "dd",
            `if=${server.file}`,
            "bs=4096",
            "skip=256",
            "count=1",
            "iflag=direct",
            "status=none",
          ),
        ).toMatchObject({
          code: 1,
          err: expect.stringContaining("Input/output error"),
        });
      }
      expect(same(dd(user, server.file, 13 * MIB, MIB), patternBytes(PATTERN, 13 * MIB, MIB))).toBe(
        true,
      );
      const before = run(
        user,
        "dd",
        `if=${server.file}`,
        "bs=4096",
        "skip=255",
        "count=1",
        "iflag=direct",
        "status=none",
      );
      expect(same(before.out, patternBytes(PATTERN, MIB - 4096, 4096))).toBe(true);
      expect(await server.said("log")).toContain("a checksum at 1048576 differs");
      expect(server.all("log").length).toBe(1);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(user),
    `${user.name}: copying skips the holes`,
    async () => {
      using directory = scratch();
      run(ROOT, "chown", String(user.id), directory.path);
      const copy = join(directory.path, "copy");
      await using server = startServer(user, { pattern: PATTERN, debug: true });
      await server.said("ready");
      expect(run(user, "cp", "--sparse=auto", server.file, copy).code).toBe(0);
      expect(run(user, "cmp", server.file, copy).code).toBe(0);
      expect(statSync(copy).blocks * 512).toBeLessThan(8 * MIB);
      await until(() => server.all("debug").some((line) => line.includes("LSEEK")));
    },
    TIMEOUT,
  );
}

const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** Where lseek leads, null for ENXIO; node:fs does not have it. */
function seeker(
  file: string,
): Disposable & { seek(offset: number, whence: number): number | null } {
  const library = dlopen("libc.so.6", { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  const fd = openSync(file, "r");
  return {
    seek(offset, whence) {
      const found = Number(library.symbols.lseek(fd, offset, whence));
      return found < 0 ? null : found;
    },
    [Symbol.dispose]() {
      closeSync(fd);
      library.close();
    },
  };
}

testWith(
  mountNeeds(ROOT),
  "the kernel passes SEEK_DATA and SEEK_HOLE on",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN });
    await server.said("ready");
    using file = seeker(server.file);
    expect(file.seek(0, SEEK_DATA)).toBe(0);
    expect(file.seek(100, SEEK_HOLE)).toBe(2 * MIB);
    expect(file.seek(2 * MIB, SEEK_DATA)).toBe(12 * MIB);
    expect(file.seek(5 * MIB, SEEK_HOLE)).toBe(5 * MIB);
    expect(file.seek(12 * MIB, SEEK_HOLE)).toBe(PATTERN.size);
    expect(file.seek(PATTERN.size, SEEK_DATA)).toBeNull();
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "two mounts at once do not mix",
  async () => {
    const other: Pattern = { name: "sdb1.img", size: 3 * MIB, holes: [] };
    await using first = startServer(ROOT, { pattern: PATTERN });
    await using second = startServer(ROOT, { pattern: other });
    await Promise.all([first.said("ready"), second.said("ready")]);
    expect(same(run(ROOT, "cat", second.file).out, patternBytes(other))).toBe(true);
    expect(same(run(ROOT, "cat", first.file).out, patternBytes(PATTERN))).toBe(true);
    second.kill("SIGTERM");
    expect(await second.exit()).toBe(0);
    expect(same(dd(ROOT, first.file, MIB, MIB), patternBytes(PATTERN, MIB, MIB))).toBe(true);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "many clients at once get the right bytes",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN });
    await server.said("ready");
    const digest = Bun.SHA256.hash(patternBytes(PATTERN), "hex");
    const clients = Array.from({ length: 8 }, () =>
      Bun.spawn(["sha256sum", server.file], { stdout: "pipe" }),
    );
    for (const client of clients)
      expect(await new Response(client.stdout).text()).toStartWith(digest);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "as root the readahead is raised",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN });
    await server.said("ready");
    const device = mountAt(server.mountPoint)?.device;
    expect(await Bun.file(`/sys/class/bdi/${device}/read_ahead_kb`).text()).toBe("1024\n");
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "the file's mode keeps other users out of what root mounted",
  async () => {
    const [, user] = USERS;
    if (user === undefined) throw new Error("no ordinary user");
    await using closed = startServer(ROOT, { pattern: { ...PATTERN, mode: 0o600 } });
    await using open = startServer(ROOT, { pattern: PATTERN });
    await Promise.all([closed.said("ready"), open.said("ready")]);
    expect(run(user, "head", "-c", "8", closed.file)).toMatchObject({
      code: 1,
      err: expect.stringContaining("Permission denied"),
    });
    expect(run(user, "head", "-c", "8", open.file).code).toBe(0);
  },
  TIMEOUT,
);
