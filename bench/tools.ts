/** The programs in C, built when they are first needed. */
import { resolve } from "node:path";
import { must } from "./command.ts";
import type { Lab } from "./lab.ts";

const LIBRARIES: Readonly<Record<string, readonly string[]>> = { peer: ["fuse3"] };

/** The program of bench/`name`.c. */
export function tool(lab: Lab, name: string): string {
  return lab.once(`tool ${name}`, () => {
    const program = lab.path(name);
    const source = resolve(import.meta.dir, `${name}.c`);
    const libraries = (LIBRARIES[name] ?? []).flatMap((library) =>
      must(["pkg-config", "--cflags", "--libs", library]).trim().split(/\s+/),
    );
    must(["gcc", "-O2", "-pthread", "-o", program, source, ...libraries]);
    return program;
  });
}

/** Debian's packages with what the bench needs. */
const PACKAGES: Readonly<Record<string, string>> = {
  gcc: "gcc",
  "pkg-config": "pkg-config",
  fio: "fio",
  "mkfs.ext4": "e2fsprogs",
  "partclone.ext4": "partclone",
  ntfsclone: "ntfs-3g",
  "mkfs.ntfs": "ntfs-3g",
  losetup: "mount",
  zstd: "zstd",
  pigz: "pigz",
};

/** One line that says what to install; null: all is there. */
export function missingTools(): string | null {
  const commands = Object.keys(PACKAGES).filter((name) => Bun.which(name) === null);
  const packages = commands.map((name) => PACKAGES[name] ?? name);
  if (Bun.which("pkg-config") && !hasLibfuse()) packages.push("libfuse3-dev");
  if (packages.length === 0) return null;
  return `the bench needs: apt-get install ${[...new Set(packages)].join(" ")}`;
}

const hasLibfuse = () => Bun.spawnSync(["pkg-config", "--exists", "fuse3"]).exitCode === 0;
