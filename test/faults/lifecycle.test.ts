import { describe, expect } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { mountDirectory, ROOT, run, until } from "../fuse/harness.ts";
import { byTitle, formsInOneFile, type ImageForm, imageForms, writeImage } from "../image-forms.ts";
import { testWith } from "../require.ts";
import {
  BLOCK,
  COMMAND,
  type Folder,
  fixture,
  folder,
  isRight,
  mounted,
  NEEDS,
  readRange,
  serversOf,
  TIMEOUT,
  vpartclone,
} from "./command.ts";
import { type Disk, disk } from "./disk.ts";
import { reader } from "./reader.ts";

const whole = fixture();
const FIRST = { block: 5, at: 5 * BLOCK };

async function withBlockedReader(
  form: ImageForm,
  action: (
    mount: Awaited<ReturnType<typeof mounted>>,
    disk: Disk,
    bytes: () => Promise<Buffer>,
    child: ReturnType<typeof reader>["child"],
  ) => Promise<void>,
): Promise<void> {
  using made = folder();
  const image = writeImage(form, made.path, "sound", whole.image);
  await using stuck = await disk(image, `sda1.img${form.endings[0]}`);
  await using mount = await mounted(stuck.file);
  await stuck.turn("stuck");
  await using blocked = reader(mount.file, FIRST.block);
  try {
    await Bun.sleep(200);
    expect(blocked.child.exitCode).toBeNull();
    await action(mount, stuck, blocked.bytes, blocked.child);
  } finally {
    await stuck.turn("well");
  }
}

describe.each(byTitle(formsInOneFile))("%s images:", (_, form) => {
  for (const command of [["umount"], ["fusermount3", "-u"]]) {
    testWith(
      [...NEEDS, command[0] ?? "", ...(command[0] === "umount" ? [] : ["/etc/mtab"])],
      `${command.join(" ")} while a reader is blocked: busy, and the reader gets its bytes in the end`,
      () =>
        withBlockedReader(form, async (mount, stuck, bytes) => {
          const { code, err } = run(ROOT, ...command, mount.directory);
          expect([code === 0, err]).toEqual([false, expect.stringContaining("busy")]);
          expect(mountAt(mount.directory)).not.toBeNull();
          await stuck.turn("well");
          expect(isRight(await bytes(), whole, FIRST.at)).toBe(true);
          expect(run(ROOT, ...command, mount.directory).code).toBe(0);
          await mount.ended();
        }),
      TIMEOUT,
    );
  }

  testWith(
    NEEDS,
    "umount -l while a reader is blocked: out of sight at once, ended when the reader is served",
    () =>
      withBlockedReader(form, async (mount, stuck, bytes) => {
        expect(run(ROOT, "umount", "-l", mount.directory).code).toBe(0);
        expect(mountAt(mount.directory)).toBeNull();
        await stuck.turn("well");
        expect(isRight(await bytes(), whole, FIRST.at)).toBe(true);
        await mount.ended();
      }),
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "two signals while a reader is blocked: busy, then detached; the reader gets its bytes",
    () =>
      withBlockedReader(form, async (mount, stuck, bytes) => {
        process.kill(mount.pid, "SIGTERM");
        await Bun.sleep(200);
        expect(mountAt(mount.directory)).not.toBeNull();
        process.kill(mount.pid, "SIGTERM");
        await until(() => mountAt(mount.directory) === null);
        await stuck.turn("well");
        expect(isRight(await bytes(), whole, FIRST.at)).toBe(true);
        await mount.ended();
      }),
    TIMEOUT,
  );

  // Of what is not compressed, it is the disk that the reader's request waits for.
  if (!form.compress) return;
  testWith(
    NEEDS,
    "SIGKILL of a blocked reader: it ends, and the mount goes on when the disk does",
    () =>
      withBlockedReader(form, async (mount, stuck, _bytes, child) => {
        const killed = performance.now();
        child.kill("SIGKILL");
        await until(() => child.signalCode !== null);
        expect(performance.now() - killed).toBeLessThan(1000);
        expect(run(ROOT, "stat", "-c", "%s", mount.file).out.toString()).toBe(
          `${whole.deviceSize}\n`,
        );
        await stuck.turn("well");
        expect(isRight(readRange(mount.file, FIRST.at, BLOCK), whole, FIRST.at)).toBe(true);
        expect(mount.unmount().code).toBe(0);
        await mount.ended();
      }),
    TIMEOUT,
  );
});

describe.each(byTitle(imageForms))("%s images:", (_, form) => {
  const write = ({ path }: Folder, name: string, image: Uint8Array) =>
    writeImage(form, path, name, image);

  testWith(
    NEEDS,
    "SIGKILL of the process in the background: its mount goes, and the directory can be used again",
    async () => {
      using made = folder();
      const image = write(made, "sda1", whole.image);
      await using mount = await mounted(image);
      process.kill(mount.pid, "SIGKILL");
      await until(() => mountAt(mount.directory) === null);
      const again = await vpartclone([image, "-m", mount.directory]);
      expect([again.status, again.err]).toEqual([0, ""]);
      expect(isRight(readRange(mount.file, 0, BLOCK), whole, 0)).toBe(true);
      expect(mount.unmount().code).toBe(0);
      await mount.ended();
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "SIGKILL of the process and of its guard: the next start clears the directory, and uses it",
    async () => {
      using made = folder();
      const image = write(made, "sda1", whole.image);
      await using mount = await mounted(image);
      const guard = run(ROOT, "pgrep", "-f", `sh ${mount.directory}$`).out.toString().trim();
      process.kill(Number(guard), "SIGKILL");
      process.kill(mount.pid, "SIGKILL");
      await mount.ended();
      expect(mountAt(mount.directory)).not.toBeNull();
      expect((await vpartclone([image, "-m", mount.directory])).status).toBe(0);
      expect(mount.unmount().code).toBe(0);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "the mount point cannot be removed while it is one, and what tries harms nothing",
    async () => {
      using made = folder();
      await using mount = await mounted(write(made, "sda1", whole.image));
      expect(() => rmdirSync(mount.directory)).toThrow("EBUSY");
      expect(run(ROOT, "rm", "-rf", mount.directory).code).not.toBe(0);
      expect(isRight(readRange(mount.file, 0, BLOCK), whole, 0)).toBe(true);
      expect(existsSync(mount.directory)).toBe(true);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "a mount point that is missing, no directory, or not empty: one line that says so",
    async () => {
      using made = folder();
      const image = write(made, "sda1", whole.image);
      const file = made.file("file", new Uint8Array(1));
      for (const [directory, why] of [
        [join(made.path, "missing"), "does not exist"],
        [file, "is not a directory"],
        [made.path, "is not empty"],
      ] as const) {
        const { status, out, err } = await vpartclone([image, "-m", directory]);
        expect([status, out, err]).toEqual([1, "", expect.stringContaining(why)]);
        expect(err.split("\n").length).toBe(2);
        expect(serversOf(directory)).toEqual([]);
      }
    },
    TIMEOUT,
  );

  testWith(
    [...NEEDS, "mkntfs", "ntfs-3g"],
    "a mount point inside another FUSE mount",
    async () => {
      using made = folder();
      using outer = mountDirectory(ROOT);
      const volume = made.file("volume", new Uint8Array(8 * 2 ** 20));
      expect(run(ROOT, "mkntfs", "-F", "-q", "-f", volume).code).toBe(0);
      expect(run(ROOT, "ntfs-3g", volume, outer.path).code).toBe(0);
      const inner = join(outer.path, "inner");
      mkdirSync(inner);
      // The image is on that file system, too.
      const image = join(outer.path, "sda1.img");
      writeFileSync(image, whole.image);
      try {
        expect(await vpartclone([image, "-m", inner])).toMatchObject({ status: 0, err: "" });
        expect(isRight(readRange(join(inner, "sda1"), 0, 64 * BLOCK), whole, 0)).toBe(true);
        expect(run(ROOT, "umount", inner).code).toBe(0);
        await until(() => serversOf(inner).length === 0);
      } finally {
        run(ROOT, "umount", "-l", inner);
      }
      rmSync(inner, { recursive: true });
      expect(run(ROOT, "umount", outer.path).code).toBe(0);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "two images at once, and one of them twice: each shows its own bytes",
    async () => {
      using made = folder();
      const second = fixture({ seed: 6, runs: [10, 900, 114], checksumMode: "xxh128" });
      const image = write(made, "sda1", whole.image);
      await using one = await mounted(image);
      await using other = await mounted(write(made, "sdb1", second.image));
      await using twin = await mounted(image, { args: ["--verify"] });
      const all = (file: string) => readRange(file, 0, whole.partition.length);
      expect(isRight(all(other.file), second, 0)).toBe(true);
      expect(isRight(all(one.file), whole, 0)).toBe(true);
      expect(one.unmount().code).toBe(0);
      await one.ended();
      expect(isRight(all(twin.file), whole, 0)).toBe(true);
      expect(isRight(all(other.file), second, 0)).toBe(true);
    },
    TIMEOUT,
  );

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    testWith(
      NEEDS,
      `${signal} in the foreground: unmounted, status 0`,
      async () => {
        using made = folder();
        using directory = mountDirectory(ROOT);
        const image = write(made, "sda1", whole.image);
        const child = Bun.spawn([process.execPath, COMMAND, image, "-d", "-m", directory.path], {
          stdio: ["ignore", "ignore", "pipe"],
        });
        try {
          await until(() => mountAt(directory.path) !== null);
          await until(() => existsSync(join(directory.path, "sda1")));
          child.kill(signal);
          expect(await child.exited).toBe(0);
          expect(mountAt(directory.path)).toBeNull();
        } finally {
          child.kill("SIGKILL");
          await child.exited;
        }
      },
      TIMEOUT,
    );
  }
});
