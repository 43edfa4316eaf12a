import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { escapeOption, mountFuse } from "../../src/fuse/mount.ts";
import {
  allowsOthers,
  checkDevice,
  deviceError,
  unmountCommand,
  usableMountPoint,
} from "../../src/fuse/mount-point.ts";
import { testWith } from "../require.ts";
import { mountDirectory, mountNeeds, ROOT, run, startServer, USER } from "./harness.ts";
import type { Pattern } from "./pattern.ts";

const PATTERN: Pattern = { name: "sda1.img", size: 65536, holes: [] };
const TIMEOUT = 60_000;

function directory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-point-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test("FUS-MOUNT-POINT accepts an empty directory, also by way of a symbolic link", () => {
  using where = directory();
  mkdirSync(join(where.path, "point"));
  symlinkSync("point", join(where.path, "link"));
  expect(usableMountPoint(join(where.path, "point"))).toBe(join(where.path, "point"));
  expect(usableMountPoint(join(where.path, "link"))).toBe(join(where.path, "point"));
});

test("FUS-MOUNT-POINT rejects what does not exist, is no directory, or is not empty", () => {
  using where = directory();
  writeFileSync(join(where.path, "file"), "");
  symlinkSync("nowhere", join(where.path, "dangling"));
  expect(() => usableMountPoint(join(where.path, "missing"))).toThrow("does not exist");
  expect(() => usableMountPoint(join(where.path, "dangling"))).toThrow("does not exist");
  expect(() => usableMountPoint(join(where.path, "file"))).toThrow("is not a directory");
  expect(() => usableMountPoint(join(where.path, "file", "x"))).toThrow("is not a directory");
  expect(() => usableMountPoint(where.path)).toThrow("is not empty");
  // Nobody is told to unmount what is none of ours.
  expect(() => usableMountPoint("/")).toThrow(/ mounted on it already: choose another$/);
});

testWith(
  mountNeeds(ROOT),
  "FUS-MOUNT-POINT rejects a directory with something mounted on it",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN });
    await server.said("ready");
    expect(() => mountFuse({ mountPoint: server.mountPoint, source: "/x" })).toThrow(
      "has /images/sda1.img (fuse.vpartclone) mounted on it already",
    );
  },
  TIMEOUT,
);

testWith(
  mountNeeds(USER),
  "FUS-MOUNT-POINT rejects a directory that the user may not write",
  async () => {
    using point = mountDirectory(ROOT);
    await using server = startServer(USER, { pattern: PATTERN, mountPoint: point.path });
    expect(await server.said("error")).toMatch(
      /cannot mount on .*fusermount3: user has no write access/,
    );
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-MOUNT-STALE accepts a new mount once a stale one is cleared",
  async () => {
    using point = mountDirectory(ROOT);
    leaveStale(point.path);
    expect(run(ROOT, "umount", point.path).code).toBe(0);
    await using server = startServer(ROOT, { pattern: PATTERN, mountPoint: point.path });
    await server.said("ready");
    server.kill("SIGTERM");
    expect(await server.exit()).toBe(0);
  },
  TIMEOUT,
);

testWith(
  mountNeeds(ROOT),
  "FUS-MOUNT-STALE rejects a stale mount, and says how to clear it",
  () => {
    using point = mountDirectory(ROOT);
    leaveStale(point.path);
    expect(() => usableMountPoint(point.path)).toThrow(
      `holds a mount whose server is gone: clear it with: umount ${point.path}`,
    );
  },
);

/** Mounts in a process that ends at once, as a server killed before its guard was started. */
function leaveStale(path: string): void {
  const program = `
    const { mountFuse } = await import(${JSON.stringify(join(import.meta.dir, "../../src/fuse/mount.ts"))});
    mountFuse({ mountPoint: ${JSON.stringify(path)}, source: "/x" });
    process.kill(process.pid, "SIGKILL");`;
  run(ROOT, process.execPath, "-e", program);
}

test("FUS-MOUNT-DEVICE accepts a device that can be read and written", () => {
  expect(() => checkDevice("/dev/null")).not.toThrow();
});

test("FUS-MOUNT-DEVICE rejects each refusal with what to do about it", () => {
  expect(() => checkDevice("/dev/no-fuse")).toThrow("modprobe fuse");
  const advice = {
    EACCES: "chmod 0666",
    EPERM: "--device /dev/fuse",
    ENODEV: "modprobe",
    EMFILE: "EMFILE",
  };
  for (const [code, text] of Object.entries(advice)) {
    expect(deviceError(Object.assign(new Error(code), { code })).message).toContain(text);
  }
});

test("FUS-MOUNT-OTHER accepts user_allow_other on a line of its own", () => {
  for (const text of [
    "user_allow_other",
    "# x\nuser_allow_other\n",
    "  user_allow_other  # all\n",
    "mount_max = 9\nuser_allow_other",
  ]) {
    expect(allowsOthers(text)).toBe(true);
  }
});

test("FUS-MOUNT-OTHER rejects a commented, missing or different option", () => {
  for (const text of [
    "",
    "#user_allow_other",
    "user_allow_others",
    "x user_allow_other",
    "user_allow_other yes",
  ]) {
    expect(allowsOthers(text)).toBe(false);
  }
});

testWith(
  mountNeeds(ROOT),
  "FUS-MOUNT-OTHER rejects other users where they were not wanted",
  async () => {
    await using server = startServer(ROOT, { pattern: PATTERN, allowOther: false });
    expect(JSON.parse(await server.said("ready"))).toEqual({ allowOther: false });
    expect(run(USER, "ls", server.mountPoint).err).toContain("Permission denied");
  },
  TIMEOUT,
);

test("FUS-MOUNT-NAME accepts every path: commas and backslashes are escaped", () => {
  expect(escapeOption("/a/b c.img")).toBe("/a/b c.img");
  expect(escapeOption("/a,b\\c")).toBe("/a\\,b\\\\c");
});

testWith(
  mountNeeds(USER),
  "FUS-MOUNT-NAME rejects options smuggled in by the image's name",
  async () => {
    await using server = startServer(USER, {
      pattern: PATTERN,
      source: "/x,allow_other,rw,suid\\,dev",
    });
    await server.said("ready");
    const options = run(
      USER,
      "findmnt",
      "-n",
      "-o",
      "SOURCE,OPTIONS",
      server.mountPoint,
    ).out.toString();
    expect(options).toContain("/x,allow_other,rw,suid\\,dev");
    expect(options).toMatch(/ro,nosuid,nodev/);
  },
  TIMEOUT,
);

test("the command to unmount can be pasted into a shell", () => {
  expect(unmountCommand("/a/it's")).toEndWith("'/a/it'\\''s'");
});

testWith(
  mountNeeds(USER),
  "a path that cannot be entered is refused with a reason",
  async () => {
    using closed = directory();
    await using server = startServer(USER, {
      pattern: PATTERN,
      mountPoint: join(closed.path, "x"),
    });
    expect(await server.said("error")).toContain("is not accessible to you");
  },
  TIMEOUT,
);
