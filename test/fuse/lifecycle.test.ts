import { expect } from "bun:test";
import { closeSync, existsSync, openSync, readSync } from "node:fs";
import { mountFuse } from "../../src/fuse/mount.ts";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { testWith } from "../require.ts";
import {
  mountDirectory,
  mountNeeds,
  ROOT,
  run,
  startServer,
  USER,
  USERS,
  until,
} from "./harness.ts";
import { type Pattern, patternBytes } from "./pattern.ts";

const PATTERN: Pattern = { name: "sda1.img", size: 2 ** 20, holes: [] };
const TIMEOUT = 60_000;

/** A client that holds the file open and reads from it when told to. */
function client(user: (typeof USERS)[number], file: string) {
  const child = Bun.spawn({
    cmd: [
      ...user.prefix,
      "sh",
      "-c",
      'exec 3<"$1"; echo open; read -r go; dd bs=4096 count=1 status=none <&3',
      "sh",
      file,
    ],
    stdio: ["pipe", "pipe", "inherit"],
  });
  const reader = child.stdout.getReader();
  return {
    async opened() {
      await reader.read();
    },
    async read() {
      child.stdin.write("go\n");
      await child.stdin.end();
      const { value } = await reader.read();
      await child.exited;
      return value ?? new Uint8Array(0);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

for (const user of USERS) {
  // fusermount3 cannot do it without /etc/mtab.
  const usersCommand = existsSync("/etc/mtab") ? ["fusermount3", "-u"] : ["umount"];
  const command = user === ROOT ? ["umount"] : usersCommand;
  testWith(
    mountNeeds(user),
    `FUS-END accepts ${command.join(" ")} as ${user.name}: the server ends with 0`,
    async () => {
      await using server = startServer(user, { pattern: PATTERN });
      await server.said("ready");
      expect(run(user, ...command, server.mountPoint).code).toBe(0);
      expect(await server.exit()).toBe(0);
      expect(mountAt(server.mountPoint)).toBeNull();
    },
    TIMEOUT,
  );

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    testWith(
      mountNeeds(user),
      `FUS-SIGNAL accepts ${signal} as ${user.name}: unmounted, ended with 0`,
      async () => {
        await using server = startServer(user, { pattern: PATTERN });
        await server.said("ready");
        expect(run(user, "cat", server.file).code).toBe(0);
        server.kill(signal);
        expect(await server.exit()).toBe(0);
        expect(mountAt(server.mountPoint)).toBeNull();
        expect(server.all("log")).toEqual([]);
      },
      TIMEOUT,
    );
  }

  testWith(
    mountNeeds(user),
    `FUS-SIGNAL rejects a busy mount as ${user.name}; a second signal detaches it`,
    async () => {
      await using server = startServer(user, { pattern: PATTERN });
      await server.said("ready");
      await using holder = client(user, server.file);
      await holder.opened();
      server.kill("SIGTERM");
      expect(await server.said("log")).toContain("is in use");
      expect(mountAt(server.mountPoint)).not.toBeNull();
      server.kill("SIGTERM");
      await until(() => server.all("log").length === 2);
      expect(server.all("log")[1]).toContain("is detached");
      expect(mountAt(server.mountPoint)).toBeNull();
      expect(Buffer.compare(await holder.read(), patternBytes(PATTERN, 0, 4096))).toBe(0);
      expect(await server.exit()).toBe(0);
    },
    TIMEOUT,
  );

  testWith(
    mountNeeds(user),
    `FUS-GUARD accepts SIGKILL as ${user.name}: no stale mount is left`,
    async () => {
      await using server = startServer(user, { pattern: PATTERN });
      await server.said("ready");
      await using holder = client(user, server.file);
      await holder.opened();
      server.kill("SIGKILL");
      await until(() => mountAt(server.mountPoint) === null);
      expect(run(user, "ls", server.mountPoint)).toMatchObject({ code: 0, err: "" });
    },
    TIMEOUT,
  );
}

testWith(
  mountNeeds(ROOT),
  "FUS-GUARD rejects work where the mount ended in order: a new one there stays",
  async () => {
    using point = mountDirectory(ROOT);
    await using first = startServer(ROOT, { pattern: PATTERN, mountPoint: point.path });
    await first.said("ready");
    first.kill("SIGTERM");
    expect(await first.exit()).toBe(0);
    await using second = startServer(ROOT, { pattern: PATTERN, mountPoint: point.path });
    await second.said("ready");
    await Bun.sleep(300);
    expect(run(ROOT, "cat", second.file).code).toBe(0);
    second.kill("SIGTERM");
    await second.exit();
  },
  TIMEOUT,
);

testWith(
  [...mountNeeds(ROOT), "pgrep"],
  "FUS-GUARD rejects being left behind itself: it ends with the server",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN });
    await server.said("ready");
    const guards = () => run(ROOT, "pgrep", "-f", `sh ${server.mountPoint}$`).out.toString().trim();
    expect(guards()).not.toBe("");
    server.kill("SIGTERM");
    await server.exit();
    await until(() => guards() === "");
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-DETACH accepts an unmounted file system as nothing left to detach",
  () => {
    using point = mountDirectory(ROOT);
    const mount = mountFuse({ mountPoint: point.path, source: "/x" });
    expect(mount.unmount()).toBe("unmounted");
    expect(mount.unmount()).toBe("unmounted");
    expect(() => mount.detach()).not.toThrow();
    closeSync(mount.fd);
  },
);

for (const user of USERS) {
  for (const fail of ["ready", "worker"] as const) {
    testWith(
      mountNeeds(user),
      `FUS-DETACH rejects a stale mount as ${user.name} when the ${fail} part fails`,
      async () => {
        await using server = startServer(user, { pattern: PATTERN, fail });
        expect(await server.said("error")).toBe("failed on purpose");
        expect(await server.exit()).toBe(1);
        expect(mountAt(server.mountPoint)).toBeNull();
      },
      TIMEOUT,
    );
  }
}

testWith(mountNeeds(ROOT), "FUS-REQ-BUFFER accepts 16 KiB: the kernel hands INIT over", () => {
  using point = mountDirectory(ROOT);
  const mount = mountFuse({ mountPoint: point.path, source: "/x" });
  const length = readSync(mount.fd, new Uint8Array(16384), 0, 16384, null);
  expect(length).toBeGreaterThanOrEqual(56);
  mount.detach();
  closeSync(mount.fd);
});

testWith(
  mountNeeds(ROOT),
  "FUS-REQ-BUFFER rejects less than 8 KiB: EINVAL, and the request stays",
  () => {
    using point = mountDirectory(ROOT);
    const mount = mountFuse({ mountPoint: point.path, source: "/x" });
    const buffer = new Uint8Array(16384);
    expect(() => readSync(mount.fd, buffer, 0, 8191, null)).toThrow("EINVAL");
    expect(readSync(mount.fd, buffer, 0, 8192, null)).toBeGreaterThanOrEqual(56);
    mount.detach();
    closeSync(mount.fd);
  },
);

testWith(mountNeeds(ROOT), "FUS-END rejects going on after the end: the device says ENODEV", () => {
  using point = mountDirectory(ROOT);
  const mount = mountFuse({ mountPoint: point.path, source: "/x" });
  expect(mount.unmount()).toBe("unmounted");
  expect(() => readSync(mount.fd, new Uint8Array(16384), 0, 16384, null)).toThrow("ENODEV");
  closeSync(mount.fd);
});

testWith(
  mountNeeds(USER),
  "FUS-READY accepts a background server: it reports, and holds nothing of its parent",
  async () => {
    const inherited = openSync("/dev/zero", "r");
    await using server = startServer(USER, { pattern: PATTERN, background: true });
    const { pid, payload } = JSON.parse(await server.said("background"));
    expect(JSON.parse(payload)).toEqual({ allowOther: false });
    // The parent's standard output is at its end although the child lives: its end was seen.
    expect(await server.exit()).toBe(0);
    expect(run(USER, "cat", server.file).code).toBe(0);
    const open = run(ROOT, "sh", "-c", `readlink /proc/${pid}/fd/* /proc/${pid}/cwd`)
      .out.toString()
      .trim()
      .split("\n");
    expect(open.at(-1)).toBe("/");
    const files = open
      .slice(0, -1)
      .filter((name) => !/^(\/dev\/null|\/dev\/fuse|anon_inode:.*)$/.test(name));
    // The pipe to the guard, and no other.
    expect(files).toEqual([expect.stringMatching(/^pipe:/)]);
    process.kill(pid, "SIGTERM");
    await until(() => mountAt(server.mountPoint) === null);
    closeSync(inherited);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-READY rejects a failure, and a death without a word, with one line",
  async () => {
    await using failing = startServer(ROOT, {
      pattern: PATTERN,
      background: true,
      mountPoint: "/no/such/directory",
    });
    expect(await failing.said("error")).toBe(
      "mount point /no/such/directory does not exist: create the directory first",
    );
    expect(await failing.exit()).toBe(1);
    await using dying = startServer(ROOT, { pattern: PATTERN, background: true, fail: "silently" });
    expect(await dying.said("error")).toBe("the server died before the mount was ready");
    expect(await dying.exit()).toBe(1);
  },
  TIMEOUT,
);
