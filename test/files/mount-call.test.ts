import { expect } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { testWith } from "../require.ts";

const OWNED = "uid=7,gid=8,umask=0227";
const CALLS = [
  ["ext4", "noload"],
  ["ntfs3", `iocharset=utf8,${OWNED}`],
  ["ntfs", `nls=utf8,${OWNED}`],
  ["vfat", `utf8,${OWNED}`],
  ["exfat", `iocharset=utf8,${OWNED}`],
  ["xfs", "norecovery,nouuid"],
  ["btrfs", "rescue=nologreplay"],
  ["f2fs", "norecovery"],
  ["hfsplus", "force"],
] as const;

testWith(
  ["root", "strace", "/dev/loop-control"],
  "FUS-FILES-WAY: what the kernel is asked, by drivers that are missing here too, and that nothing is left",
  () => {
    const scratch = mkdtempSync(join(tmpdir(), "vpartclone-mount-call-"));
    try {
      const [partition, directory] = [join(scratch, "partition"), join(scratch, "files")];
      const trace = join(scratch, "trace");
      writeFileSync(partition, new Uint8Array(2 ** 20));
      mkdirSync(directory);
      const { stdout } = Bun.spawnSync([
        ...["strace", "-f", "-qq", "-s", "200", "-e", "trace=mount", "-o", trace],
        ...[process.execPath, resolve(import.meta.dir, "show-each.ts"), partition, directory],
      ]);
      const asked = [...readFileSync(trace, "utf8").matchAll(/mount\((.*)\) = -1 E/g)].map(
        ([, call = ""]) => call.replace(/"\/dev\/loop\d+"/, "LOOP"),
      );
      expect(asked).toEqual(
        CALLS.map(
          ([driver, options]) =>
            `LOOP, "${directory}", "${driver}", MS_RDONLY|MS_NOSUID|MS_NODEV, "${options}"`,
        ),
      );
      const said = stdout.toString().trimEnd().split("\n");
      for (const [index, [driver]] of CALLS.entries()) {
        expect(said[index]).toMatch(`the kernel's ${driver} driver refuses them: E`);
      }
      expect(loopFiles()).not.toContain(partition);
    } finally {
      rmSync(scratch, { recursive: true });
    }
  },
);

function loopFiles(): string[] {
  return readdirSync("/sys/block").flatMap((name) => {
    try {
      return [readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").trim()];
    } catch {
      return []; // No loop device, or a free one.
    }
  });
}
