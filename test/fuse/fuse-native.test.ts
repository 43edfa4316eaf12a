import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { testWith } from "../require.ts";
import { mountDirectory, ROOT } from "./harness.ts";

const PACKAGE = join(import.meta.dir, "../../node_modules/fuse-native");
const ABORT = "unsupported uv function: uv_sem_init";

const LOOK_AGAIN = `fuse-native no longer aborts under this Bun with "${ABORT}":
the choice to speak the kernel's protocol in src/fuse instead can be looked at again`;

/** Mounts an empty directory with fuse-native, as its documentation does. */
const program = (mountPoint: string) => `
  const Fuse = require(${JSON.stringify(PACKAGE)});
  const fuse = new Fuse(${JSON.stringify(mountPoint)}, { readdir: (path, answer) => answer(0, []) });
  fuse.mount((error) => {
    console.log("mount called back:", error);
    process.exit(0);
  });`;

/**
 * The package's prebuilt module loads although its install script does not run under Bun. It asks
 * for libfuse.so.2, which few systems have any more; the copy in the package lacks only that name.
 */
function libraryDirectory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "vpartclone-libfuse-"));
  symlinkSync(join(PACKAGE, "prebuilds/linux-x64/libfuse.so"), join(path, "libfuse.so.2"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

function mountWithFuseNative(): void {
  using libraries = libraryDirectory();
  using point = mountDirectory(ROOT);
  const { stderr, stdout, signalCode, exitCode } = Bun.spawnSync({
    cmd: [process.execPath, "-e", program(point.path)],
    cwd: libraries.path,
    env: {
      ...process.env,
      LD_LIBRARY_PATH: libraries.path,
      BUN_ENABLE_CRASH_REPORTING: "0",
    },
    timeout: 20_000,
  });
  const said = `${stdout}${stderr}`;
  if (!said.includes(ABORT)) {
    throw new Error(`${LOOK_AGAIN}\nsignal ${signalCode}, status ${exitCode}, output:\n${said}`);
  }
  expect(signalCode).toBe("SIGABRT");
}

const TITLE = "fuse-native 2.2.6 still aborts Bun when it mounts";
if (process.arch === "x64") testWith(["root", "/dev/fuse"], TITLE, mountWithFuseNative, 30_000);
else test.skip(`${TITLE} [skipped: it is prebuilt for x86-64 only]`, () => {});
