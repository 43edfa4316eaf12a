import { expect } from "bun:test";
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { mountInBackground } from "../cli/mounted.ts";
import { mountNeeds, openDeviceToAll, ROOT, run, USER, USERS, type User } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { expectSameBytes } from "./compare.ts";
import { partclone } from "./savers.ts";
import { type Argv, mountPoint, must, scratchDirectory } from "./stage.ts";
import { manifest, writeTree } from "./tree.ts";

/** The programs people point at a virtual partition get from it what they get from the real one. */

const MiB = 2 ** 20;
const TIMEOUT = 60_000;

/** A directory that everybody can look into, and the ordinary user write to. */
function openDirectory(stack: DisposableStack): string {
  const directory = scratchDirectory(stack);
  chmodSync(directory, 0o755);
  chownSync(directory, USER.id, USER.id);
  return directory;
}

interface Saved {
  readonly directory: string;
  readonly tree: string;
  readonly volume: string;
  readonly image: string;
}

/** A small ext4 and its image. Its free blocks were never written: they are zeros in both. */
function savedExt4(stack: DisposableStack): Saved {
  const directory = openDirectory(stack);
  const path = (name: string) => join(directory, name);
  const saved = { directory, tree: path("tree"), volume: path("volume"), image: path("sda1.img") };
  mkdirSync(saved.tree);
  writeTree(saved.tree, true);
  writeFileSync(saved.volume, "");
  truncateSync(saved.volume, 48 * MiB);
  must(["mkfs.ext4", "-q", "-F", "-d", saved.tree, saved.volume]);
  must(partclone("extfs", ["-a1", "-k7"]).save(saved.volume, saved.image));
  chmodSync(saved.image, 0o644);
  return saved;
}

const NEEDS = ["mkfs.ext4", "partclone.extfs"];

/** Clients whose status and output on a file say all. */
const readers: Readonly<Record<string, (file: string) => Argv>> = {
  "xxd at the superblock": (file) => ["xxd", "-s", "1024", "-l", "300", file],
  "xxd at the end": (file) => ["xxd", "-s", `${48 * MiB - 50}`, file],
  "dd in odd pieces": (file) => dd(file, "bs=7777", "skip=111", "count=200"),
  "dd past the page cache": (file) => dd(file, "bs=64K", "iflag=direct"),
  sha256sum: (file) => ["sha256sum", file],
  "e2fsck -fn": (file) => ["e2fsck", "-fn", file],
  dumpe2fs: (file) => ["dumpe2fs", file],
};

function dd(file: string, ...operands: readonly string[]): Argv {
  return ["dd", `if=${file}`, "status=none", ...operands];
}

/** Clients that make a copy. */
const copiers: Readonly<Record<string, (file: string, copy: string) => Argv>> = {
  "cp --sparse=always": (file, copy) => ["cp", "--sparse=always", file, copy],
  "dd conv=sparse": (file, copy) => [...dd(file, "bs=1M", "conv=sparse"), `of=${copy}`],
  "qemu-img convert": (file, copy) => ["qemu-img", "convert", "-f", "raw", "-O", "raw", file, copy],
};

const ranBy = (user: User, argv: Argv, file: string) => {
  const { code, out, err } = run(user, ...argv);
  const digest = Bun.SHA256.hash(out.toString("latin1").replaceAll(file, "FILE"), "hex");
  return { code, digest, err: err.replaceAll(file, "FILE") };
};

for (const user of USERS) {
  const tools = ["xxd", "dd", "qemu-img", "e2fsck", "dumpe2fs"];
  testWith(
    [...mountNeeds(user), ...NEEDS, ...tools],
    `${user.name}: readers and copiers`,
    async () => {
      openDeviceToAll();
      using stack = new DisposableStack();
      const { directory, volume, image } = savedExt4(stack);
      await using mounted = mountInBackground(user, "vpartclone", image);
      for (const [name, argv] of Object.entries(readers)) {
        const real = ranBy(ROOT, argv(volume), volume);
        expect({ name, ...ranBy(user, argv(mounted.file), mounted.file) }).toEqual({
          name,
          ...real,
        });
      }
      for (const [name, argv] of Object.entries(copiers)) {
        const copy = join(directory, name.replaceAll(" ", "-"));
        expect({ name, ...run(user, ...argv(mounted.file, copy)), out: "" }).toEqual({
          name,
          code: 0,
          out: "",
          err: "",
        });
        expectSameBytes(copy, volume);
      }
    },
    TIMEOUT,
  );

  testWith(
    [...mountNeeds(user), ...NEEDS, "fuse2fs"],
    `${user.name}: fuse2fs shows the files`,
    async () => {
      openDeviceToAll();
      using stack = new DisposableStack();
      const { directory, tree, image } = savedExt4(stack);
      await using mounted = mountInBackground(user, "vpartclone", image);
      const root = join(directory, "files");
      mkdirSync(root);
      chownSync(root, user.id, user.id);
      expect(run(user, "fuse2fs", "-o", "ro,fakeroot", mounted.file, root).code).toBe(0);
      try {
        // Root may not look into the user's mount: compared by the user's own eyes.
        const list = [
          "sh",
          "-c",
          'cd "$1" && find . -type f ! -path "*lost+found*" | sort | xargs -d "\\n" sha256sum',
          "sh",
        ];
        expect(run(user, ...list, root).out.toString()).toBe(
          run(ROOT, ...list, tree).out.toString(),
        );
      } finally {
        run(ROOT, "umount", root);
      }
    },
    TIMEOUT,
  );
}

testWith(
  [...mountNeeds(ROOT), ...NEEDS, "losetup", "/dev/loop-control", "kernel:ext4"],
  "root: losetup --direct-io=on",
  async () => {
    using stack = new DisposableStack();
    const { tree, volume, image } = savedExt4(stack);
    await using mounted = mountInBackground(ROOT, "vpartclone", image);
    {
      using devices = new DisposableStack();
      const options = ["--find", "--show", "--read-only", "--direct-io=on"];
      const device = must(["losetup", ...options, mounted.file]).trim();
      devices.defer(() => must(["losetup", "--detach", device]));
      expect(must(["losetup", "--noheadings", "--output", "DIO,RO", device]).trim()).toMatch(
        /^1\s+1$/,
      );
      expectSameBytes(device, volume);
      const root = mountPoint(devices, (dir) => ["mount", "-o", "ro,noload", device, dir]);
      const inTree = (line: string) => !line.endsWith("lost+found");
      expect(manifest(root).filter(inTree)).toEqual(manifest(tree));
    }
  },
  TIMEOUT,
);

/** A small NTFS with files of the tree, and its image. */
function savedNtfs(stack: DisposableStack): Saved {
  const directory = openDirectory(stack);
  const path = (name: string) => join(directory, name);
  const saved = { directory, tree: path("tree"), volume: path("volume"), image: path("c.img") };
  mkdirSync(saved.tree);
  writeTree(saved.tree, false);
  writeFileSync(saved.volume, "");
  truncateSync(saved.volume, 24 * MiB);
  must(["mkntfs", "--quiet", "--force", "--fast", saved.volume]);
  using filling = new DisposableStack();
  const root = mountPoint(filling, (dir) => ["ntfs-3g", saved.volume, dir]);
  must(["cp", "-r", `${saved.tree}/.`, root]);
  filling.dispose();
  must(["ntfsclone", "--save-image", "--output", saved.image, saved.volume]);
  chmodSync(saved.image, 0o644);
  return saved;
}

/** Names and contents, not the modes, which NTFS keeps otherwise. */
const contents = (root: string): string[] =>
  manifest(root).map((line) => line.replace(/^\d+ /, ""));

testWith(
  [...mountNeeds(ROOT), "mkntfs", "ntfs-3g", "ntfsclone"],
  "root: ntfs-3g shows the files",
  async () => {
    using stack = new DisposableStack();
    const { tree, image } = savedNtfs(stack);
    await using mounted = mountInBackground(ROOT, "vntfsclone", image);
    using driver = new DisposableStack();
    const root = mountPoint(driver, (dir) => ["ntfs-3g", "-o", "ro", mounted.file, dir]);
    expect(contents(root)).toEqual(contents(tree));
  },
  TIMEOUT,
);

testWith(
  [...mountNeeds(USER), "mkntfs", "ntfs-3g", "ntfsclone", "ntfsls", "ntfscat"],
  "user: ntfsls and ntfscat, as ntfs-3g is setuid and kept out",
  async () => {
    openDeviceToAll();
    using stack = new DisposableStack();
    const { tree, image } = savedNtfs(stack);
    await using mounted = mountInBackground(USER, "vntfsclone", image);
    const names = run(USER, "ntfsls", mounted.file).out.toString().trim().split("\n");
    expect(names.toSorted()).toEqual(readdirSync(tree).toSorted());
    const { out } = run(USER, "ntfscat", mounted.file, "kept/7");
    expect(Buffer.compare(out, readFileSync(join(tree, "kept/7")))).toBe(0);
  },
  TIMEOUT,
);
