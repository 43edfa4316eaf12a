/**
 * Makes a Debian package of the executable, its manual pages and completions:
 * bun run package:deb [amd64|arm64]; without: for this machine.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { shells } from "../completions/generate.ts";
import { manualPage, topics } from "../man/generate.ts";
import packageJson from "../package.json" with { type: "json" };
import { build, type Target } from "./build.ts";

const ROOT = resolve(import.meta.dirname, "..");
const TARGETS: Readonly<Record<string, Target>> = { amd64: "linux-x64", arm64: "linux-arm64" };
const MACHINES: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64" };

const { name, version } = packageJson;
const LINKS = topics.map((topic) => topic.name).filter((topic) => topic !== name);

/** fuse3: an ordinary user mounts with its fusermount3. */
function control(architecture: string, installedKib: number): string {
  return [
    `Package: ${name}`,
    `Version: ${version}`,
    `Architecture: ${architecture}`,
    "Maintainer: The vpartclone authors <vpartclone@users.noreply.github.com>",
    `Installed-Size: ${installedKib}`,
    "Depends: libc6",
    "Recommends: fuse3",
    "Suggests: exfat-fuse, fuse2fs, guestmount, libffi8, libxxhash0, libzstd1, ntfs-3g",
    "Section: admin",
    "Priority: optional",
    // Of less than 80 characters, as the lines below it: lists of packages cut off what is longer.
    "Description: files out of partition backups by partclone and ntfsclone",
    " Gets one file out of a partition backup by Clonezilla, Rescuezilla, FOG,",
    " partclone or ntfsclone, or tells whether the backup is sound, without",
    " restoring it.",
    "",
  ].join("\n");
}

/** Directories and files as a package has them, whatever the umask. */
function put(path: string, content: string | Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, content, { mode: 0o644 });
}

async function fill(root: string, architecture: string, target: Target): Promise<void> {
  const program = join(root, "usr/bin", name);
  mkdirSync(dirname(program), { recursive: true });
  copyFileSync(await build(target), program);
  chmodSync(program, 0o755);
  for (const link of LINKS) symlinkSync(name, join(root, "usr/bin", link));
  for (const topic of topics) {
    const page = gzipSync(manualPage(topic), { level: 9 });
    put(join(root, "usr/share/man/man1", `${topic.name}.1.gz`), page);
    for (const { write, installed } of shells) put(join(root, installed(topic.name)), write(topic));
  }
  const documents = join(root, "usr/share/doc", name);
  mkdirSync(documents, { recursive: true });
  copyFileSync(join(ROOT, "LICENSE"), join(documents, "copyright"));
  const changes = gzipSync(await Bun.file(join(ROOT, "CHANGELOG.md")).bytes(), { level: 9 });
  put(join(documents, "changelog.gz"), changes);
  const installedKib = Math.ceil(statSync(program).size / 1024);
  put(join(root, "DEBIAN/control"), control(architecture, installedKib));
}

export async function packageDeb(architecture: string): Promise<string> {
  const target = TARGETS[architecture];
  if (!target)
    throw new Error(`no package for ${architecture}: only ${Object.keys(TARGETS).join(", ")}`);
  const root = mkdtempSync(join(tmpdir(), "vpartclone-deb-"));
  try {
    chmodSync(root, 0o755);
    await fill(root, architecture, target);
    const file = join(ROOT, "dist", `${name}_${version}_${architecture}.deb`);
    const { exitCode, stderr } = Bun.spawnSync(
      ["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, file],
      { stderr: "pipe" },
    );
    if (exitCode !== 0) throw new Error(stderr.toString());
    return file;
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  try {
    console.log(await packageDeb(process.argv[2] ?? MACHINES[process.arch] ?? process.arch));
  } catch (error) {
    console.error(`package:deb: ${error instanceof Error ? error.message.trim() : error}`);
    process.exitCode = 1;
  }
}
