import { expect } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testWith } from "./require.ts";

const root = join(import.meta.dirname, "..");
const golden = join(root, "test/golden/ext4-v2-xxh128-k8.img");
const SHA256 = "ffed4f1aebb7283735f914cc7eda139152435a337293c7fa09498fb7e5938070";

function must(cmd: string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(cmd, { cwd });
  if (exitCode !== 0) throw new Error(`${cmd.join(" ")}: ${stderr}`);
  return stdout.toString();
}

testWith(
  ["root", "/dev/fuse"],
  "the packed tarball, installed into an empty folder, mounts",
  () => {
    const folder = mkdtempSync(join(tmpdir(), "vpartclone-package-"));
    const mountPoint = join(folder, "mnt");
    try {
      must(["bun", "pm", "pack", "--destination", folder, "--quiet"], root);
      const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
      const app = join(folder, "app");
      mkdirSync(app);
      mkdirSync(mountPoint);
      writeFileSync(join(app, "package.json"), "{}\n");
      must(["bun", "add", join(folder, tarball)], app);
      const installed = join(app, "node_modules/vpartclone");
      for (const name of ["README.md", "LICENSE", "CHANGELOG.md"]) {
        expect(existsSync(join(installed, name))).toBe(true);
      }
      expect(existsSync(join(installed, "test"))).toBe(false);

      must(["bunx", "vpartclone", golden, "-m", mountPoint], app);
      const partition = Bun.spawnSync(["sha256sum", join(mountPoint, "ext4-v2-xxh128-k8")]);
      expect(partition.stdout.toString().slice(0, 64)).toBe(SHA256);

      const script = `import { openImage } from "vpartclone"; console.log((await openImage("${golden}")).fsType)`;
      expect(must(["bun", "-e", script], app)).toBe("EXTFS\n");
    } finally {
      Bun.spawnSync(["umount", mountPoint]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
