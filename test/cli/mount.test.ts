import { afterAll, describe, expect } from "bun:test";
import { chmodSync, existsSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { append, flip, last } from "../../fixtures-gen/break.ts";
import { build } from "../../fixtures-gen/build.ts";
import { type ExampleName, example, exampleParams } from "../../fixtures-gen/examples.ts";
import { mountAt } from "../../src/fuse/mount-table.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  ROOT,
  run,
  USER,
  USERS,
  until,
} from "../fuse/harness.ts";
import { byTitle, imageForms, writeImage } from "../image-forms.ts";
import { testWith } from "../require.ts";
import {
  direct,
  type Mounted,
  mountInBackground,
  mountInForeground,
  serversOf,
} from "./mounted.ts";
import { linesOf, type ProgramName, runProgram, scratch } from "./program.ts";

const files = scratch();
afterAll(() => files[Symbol.dispose]());
chmodSync(files.path, 0o755);
const TIMEOUT = 30_000;

/** One image of each kind, its command, and whether options of the index go with it. */
const images: readonly (readonly [
  name: ExampleName,
  program: ProgramName,
  options: readonly string[],
])[] = [
  ["v1-ntfs-tail", "vpartclone", ["-i", "32"]],
  ["v2-none", "vpartclone", ["--index_size", "1048576"]],
  ["v2-crc32-no-reseed", "vpartclone", []],
  ["v2-xxh64", "vpartclone", []],
  ["v2-xxh128", "vpartclone", ["-i", "64"]],
  ["v2-bitmap-none", "vpartclone", []],
  ["v2-bitmap-bytes", "vpartclone", []],
  ["v2-big-endian", "vpartclone", []],
  ["ntfs-10.1", "vntfsclone", []],
  ["ntfs-metadata", "vntfsclone", []],
  ["ntfs-old-big-endian", "vntfsclone", []],
];

const isEqual = (file: string, bytes: Uint8Array): boolean =>
  Buffer.compare(readFileSync(file), bytes) === 0;

describe("-m", () => {
  for (const [name, program, options] of images) {
    testWith(
      mountNeeds(ROOT),
      `${name}: ${program} ${options.join(" ")}`,
      async () => {
        const { image, partition } = example(name);
        const path = files.file(`${name}.img`, image);
        await using mounted = mountInBackground(ROOT, program, path, ...options);
        expect(mounted.out).toStartWith(`${mounted.file}: the `);
        expect(statSync(mounted.file).size).toBe(partition.length);
        expect(isEqual(mounted.file, partition)).toBe(true);
      },
      TIMEOUT,
    );
  }
});

const loopLines = (file: string): string[] => [
  `  its files:  losetup --find --show --read-only --direct-io=on ${file}`,
  "              mount -t ext4 -o ro,noload /dev/loopN /mnt    (the device it printed)",
  "              umount /mnt; losetup --detach /dev/loopN",
];
const privateLines = (file: string): string[] => [
  `  its files:  fuse2fs -o ro,fakeroot ${file} DIR`,
  "  only you can read it, so 'sudo losetup' will fail; to let root in, add the line",
  "  user_allow_other to /etc/fuse.conf and mount again",
];

describe.each(byTitle(imageForms))("-m of %s images", (_, form) => {
  const write = (name: string, image: Uint8Array) => writeImage(form, files.path, name, image);

  for (const user of USERS) {
    testWith(
      mountNeeds(user),
      `${user.name}: what is printed, unmounting, and the server's end`,
      async () => {
        openDeviceToAll();
        const { image, partition } = example("v2-crc32");
        const path = write("sda1", image);
        await using mounted = mountInBackground(user, "vpartclone", path);
        const { file, mountPoint } = mounted;
        expect(linesOf(mounted.out)).toEqual([
          `${file}: the EXTFS partition, 77.0 KiB (78,848 bytes), read-only`,
          `  check it:   e2fsck -fn ${file}`,
          ...(user === ROOT ? loopLines(file) : privateLines(file)),
          `  end it:     ${user === ROOT ? "umount" : "fusermount3 -u"} ${mountPoint}`,
        ]);
        expect(mounted.err()).toBe("");
        expect(Buffer.compare(run(user, "cat", file).out, Buffer.from(partition))).toBe(0);
        process.kill(mounted.pid, "SIGTERM");
        await until(() => mountAt(mountPoint) === null && serversOf(mountPoint).length === 0);
      },
      TIMEOUT,
    );

    testWith(
      mountNeeds(user),
      `${user.name}: -d stays, tells each request, and ends with 0`,
      async () => {
        openDeviceToAll();
        const path = write("sda2", example("v2-xxh64").image);
        await using mounted = await mountInForeground(user, "vpartclone", path);
        run(user, "cat", mounted.file);
        await until(() => mounted.err().includes("READ node=2 offset=0 size="));
        for (const line of linesOf(mounted.err())) expect(line).toMatch(/^#\d+ [A-Z]+ node=/);
        process.kill(mounted.pid, "SIGINT");
        expect(await mounted.exited).toBe(0);
        expect(mountAt(mounted.mountPoint)).toBeNull();
      },
      TIMEOUT,
    );
  }

  testWith(
    [...mountNeeds(ROOT), "setpriv"],
    "an ordinary user reads what root mounts if the image's mode lets",
    async () => {
      const path = write("open", example("v2-none").image);
      for (const [mode, code] of [
        [0o644, 0],
        [0o600, 1],
      ] as const) {
        chmodSync(path, mode);
        await using mounted = mountInBackground(ROOT, "vpartclone", path);
        expect(run(USER, "cat", mounted.file).code).toBe(code);
      }
    },
    TIMEOUT,
  );

  describe("with other options", () => {
    const sound = example("v2-crc32");
    const bad = flip(sound, last(sound.strips).checksumOffset);

    const log = join(files.path, "log");
    const mount = (path: string) => {
      rmSync(log, { force: true });
      return mountInBackground(ROOT, "vpartclone", path, "--log", log);
    };

    /** A plain image's warnings are printed; those that a compressed one's size gives are logged. */
    async function heard(mounted: Mounted, rule: string): Promise<string> {
      const logged = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
      await until(() => (mounted.err() + logged()).includes(rule));
      expect(mounted.err()).toContain(form.compress ? "" : "vpartclone: warning: ");
      return mounted.err() + logged();
    }

    testWith(
      mountNeeds(ROOT),
      "-v -c: describes, checks, then mounts",
      async () => {
        const path = write("all", sound.image);
        await using mounted = mountInBackground(ROOT, "vpartclone", path, "-v", "-c", "-q");
        expect(mounted.out).toStartWith("Partclone Header\n");
        expect(mounted.out).toContain(`\n${path}: sound: 4 strips are right`);
        expect(mounted.out).toContain(`\n${mounted.file}: the EXTFS partition`);
        expect(mounted.out.match(/Partclone Header/g)).toHaveLength(1);
      },
      TIMEOUT,
    );

    testWith(mountNeeds(ROOT), "-c: what is not sound is not mounted", () => {
      using point = mountDirectory(ROOT);
      const path = write("bad", bad);
      const { status, out, err } = runProgram("vpartclone", ["-c", "-q", path, "-m", point.path]);
      expect(status).toBe(1);
      expect(out).toStartWith(`${path}: NOT SOUND: 1 of 4 strips is bad`);
      expect(linesOf(err)).toHaveLength(1);
      expect(mountAt(point.path)).toBeNull();
    });

    testWith(
      mountNeeds(ROOT),
      "warnings come with the mount, or to the log when all of a compressed image is known",
      async () => {
        const path = write("long", append(sound, 1, 2));
        await using mounted = mount(path);
        const said = await heard(mounted, "(PC2-DATA-END)");
        expect(linesOf(said)).toEqual([
          expect.stringMatching(
            /long\.img[.\w]*: 2 bytes after the image's end: ignored \(PC2-DATA-END\)$/,
          ),
        ]);
        expect(isEqual(mounted.file, sound.partition)).toBe(true);
      },
      TIMEOUT,
    );

    testWith(
      mountNeeds(ROOT),
      "a truncated image: a warning, and EIO for what is missing, never other bytes",
      async () => {
        const fixture = build({ ...exampleParams["v2-crc32"], blockSize: 4096, runs: [300] });
        const path = write("cut", fixture.image.subarray(0, 600_000));
        await using mounted = mount(path);
        const said = await heard(mounted, "(PC2-DATA-COMPLETE)");
        expect(said).toContain(
          "the image is truncated: 629104 of 1229104 bytes are missing; reads",
        );
        for (const at of [0, 400_000, 700_000, 1_200_000]) {
          const { status, err, bytes } = direct(ROOT, mounted.file, at, 4096);
          const isThere = at < 590_000;
          expect(status).toBe(isThere ? 0 : 1);
          if (!isThere) expect(err).toContain("Input/output error");
          const truth = fixture.partition.subarray(at, at + (isThere ? 4096 : 0));
          expect(Buffer.compare(bytes, truth)).toBe(0);
        }
      },
      TIMEOUT,
    );

    testWith(
      mountNeeds(ROOT),
      "an unusable mount point is one line",
      async () => {
        const path = write("x", sound.image);
        await using mounted = mountInBackground(ROOT, "vpartclone", path);
        const cases = [
          [mounted.mountPoint, /has .*x\.img[.\w]* \(fuse\.vpartclone\) mounted on it already/],
          [files.path, /is not empty/],
          [join(files.path, "missing"), /does not exist: create the directory first/],
          [path, /is not a directory/],
        ] as const;
        for (const [directory, why] of cases) {
          for (const options of [[], ["-d"]]) {
            const { status, out, err } = runProgram("vpartclone", [
              path,
              ...options,
              "-m",
              directory,
            ]);
            expect({ status, out }).toEqual({ status: 1, out: "" });
            expect(linesOf(err)).toEqual([expect.stringMatching(why)]);
            expect(err).toStartWith(`vpartclone: mount point ${directory} `);
          }
        }
      },
      TIMEOUT,
    );
  });
});
