import { expect } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testWith } from "../require.ts";

const root = join(import.meta.dirname, "../..");

testWith(
  ["root", "/dev/fuse", "/dev/loop-control", "kernel:ext4", "fusermount3", "debugfs"],
  "sh scripts/demo mounts, shows files, checks, unmounts, and leaves nothing",
  () => {
    const scratch = mkdtempSync(join(tmpdir(), "vpartclone-demo-"));
    try {
      const { exitCode, stdout } = Bun.spawnSync(["sh", join(root, "scripts/demo")], {
        cwd: "/",
        env: { ...process.env, TMPDIR: scratch },
      });
      const text = stdout.toString();
      expect(exitCode).toBe(0);
      for (const part of ["file00.txt", ": sound: ", "The same.\n"]) expect(text).toContain(part);
      expect(readdirSync(scratch)).toEqual([]);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  },
  60_000,
);
