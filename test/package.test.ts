import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { publint } from "publint";
import { testWith } from "./require.ts";

const root = join(import.meta.dirname, "..");
const golden = join(root, "test/golden/ext4-v2-xxh128-k8.img");
const SHA256 = "ffed4f1aebb7283735f914cc7eda139152435a337293c7fa09498fb7e5938070";

function must(cmd: string[], cwd: string): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(cmd, { cwd });
  if (exitCode !== 0) throw new Error(`${cmd.join(" ")}: ${stdout}${stderr}`);
  return stdout.toString();
}

testWith(
  ["root", "/dev/fuse"],
  "the packed tarball, installed into an empty folder, mounts, and passes the type checker",
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

      // What `bun init` sets, but for the place of Bun's types.
      const compilerOptions = {
        ...{ target: "ESNext", module: "Preserve", moduleResolution: "bundler", noEmit: true },
        ...{ strict: true, skipLibCheck: true, noUncheckedIndexedAccess: true, allowJs: true },
        ...{ noImplicitOverride: true, noFallthroughCasesInSwitch: true },
        ...{ allowImportingTsExtensions: true, verbatimModuleSyntax: true },
        ...{ types: ["bun"], typeRoots: [join(root, "node_modules/@types")] },
      };
      const examples = readdirSync(join(root, "examples"));
      for (const name of examples) copyFileSync(join(root, "examples", name), join(app, name));
      const tsconfig = { compilerOptions, files: examples };
      writeFileSync(join(app, "tsconfig.json"), JSON.stringify(tsconfig));
      must([join(root, "node_modules/.bin/tsc")], app);

      const script = `import { openImage } from "vpartclone"; console.log((await openImage("${golden}")).fsType)`;
      expect(must(["bun", "-e", script], app)).toBe("EXTFS\n");
    } finally {
      Bun.spawnSync(["umount", mountPoint]);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);

test("publint has nothing to say of the package", async () => {
  const { messages } = await publint({ pkgDir: root, strict: true, pack: "bun" });
  expect(messages).toEqual([]);
});

test("bun publish would publish it: what it needs, and nothing of the workshop", () => {
  // Nothing is sent with --dry-run, but without a token it ends before it begins.
  const { exitCode, stdout } = Bun.spawnSync(["bun", "publish", "--dry-run"], {
    cwd: root,
    env: { ...process.env, NPM_CONFIG_TOKEN: "none" },
  });
  expect(exitCode).toBe(0);
  const packed = [...stdout.toString().matchAll(/^packed \S+ (.*)$/gm)].map(([, name]) => name);
  const tops = new Set(packed.map((name) => name?.split("/")[0]));
  expect([...tops].sort()).toEqual(
    ["CHANGELOG.md", "LICENSE", "README.md", "man", "package.json", "spec", "src"].sort(),
  );
});
