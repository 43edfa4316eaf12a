import { describe, expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { until } from "../fuse/harness.ts";
import { byTitle, formsInOneFile, imageForms, writeImage } from "../image-forms.ts";
import { testWith } from "../require.ts";
import {
  BLOCK,
  type Folder,
  fixture,
  folder,
  isRight,
  mounted,
  NEEDS,
  readRange,
  TIMEOUT,
  vpartclone,
} from "./command.ts";

const whole = fixture();
const LAST = whole.partition.length - 30 * BLOCK;
const linesOf = (path: string) =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").filter(Boolean) : [];

/** A `logger` of ours that writes down what it is called with. */
function fakeLogger(path: string): { readonly PATH: string } {
  mkdirSync(join(path, "bin"));
  const program = join(path, "bin", "logger");
  writeFileSync(program, `#!/bin/sh\nprintf '%s\\n' "$*" >> '${path}/logged'\n`);
  chmodSync(program, 0o755);
  return { PATH: `${join(path, "bin")}:${process.env.PATH}` };
}

describe.each(byTitle(formsInOneFile))("%s images:", (_, form) => {
  const write = ({ path }: Folder) => writeImage(form, path, "sda1", whole.image);

  testWith(
    NEEDS,
    "the background says what goes wrong to the system's log: one line a kind, not a request",
    async () => {
      using made = folder();
      const image = write(made);
      const env = fakeLogger(made.path);
      await using mount = await mounted(image, { env });
      truncateSync(image, whole.image.length - 40 * BLOCK);
      for (let attempt = 0; attempt < 10; attempt++) {
        expect(readRange(mount.file, LAST - attempt * BLOCK, BLOCK)).toBe("EIO");
      }
      const logged = join(made.path, "logged");
      await until(() => linesOf(logged).length > 0);
      await Bun.sleep(200);
      expect(linesOf(logged)).toEqual([
        expect.stringMatching(/^-t vpartclone\[\d+\] -p user\.err -- sda1: input\/output error: /),
      ]);
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "without a logger on the machine the mount works all the same",
    async () => {
      using made = folder();
      const image = write(made);
      mkdirSync(join(made.path, "bin"));
      await using mount = await mounted(image, { env: { PATH: join(made.path, "bin") } });
      truncateSync(image, whole.image.length - 40 * BLOCK);
      expect(readRange(mount.file, LAST, BLOCK)).toBe("EIO");
      expect(isRight(readRange(mount.file, 0, BLOCK), whole, 0)).toBe(true);
      expect(mount.unmount().code).toBe(0);
      await mount.ended();
    },
    TIMEOUT,
  );
});

describe.each(byTitle(imageForms))("%s images:", (_, form) => {
  testWith(
    NEEDS,
    "--log: appended to, for its owner only, also after it was rotated; each bad strip is a kind",
    async () => {
      using made = folder();
      const damaged = whole.image.slice();
      const [first, second] = [whole.strips[2], whole.strips[9]];
      for (const strip of [first, second]) {
        damaged[strip?.checksumOffset ?? 0] = (damaged[strip?.checksumOffset ?? 0] ?? 0) ^ 1;
      }
      const log = join(made.path, "log");
      const args = ["--verify", "--log", log];
      await using mount = await mounted(writeImage(form, made.path, "sda1", damaged), { args });
      expect([linesOf(log), statSync(log).mode & 0o777]).toEqual([[], 0o600]);
      for (let attempt = 0; attempt < 4; attempt++) {
        expect(readRange(mount.file, (2 * 16 + attempt) * BLOCK, BLOCK)).toBe("EIO");
      }
      await until(() => linesOf(log).length === 1);
      expect(linesOf(log)[0]).toContain("the checksum of strip 2 ");
      writeFileSync(log, "");
      for (let attempt = 0; attempt < 4; attempt++) {
        expect(readRange(mount.file, 9 * 16 * BLOCK, BLOCK)).toBe("EIO");
      }
      await until(() => linesOf(log).length === 1);
      expect(linesOf(log)[0]).toContain("the checksum of strip 9 ");
      expect(isRight(readRange(mount.file, 3 * 16 * BLOCK, BLOCK), whole, 3 * 16 * BLOCK)).toBe(
        true,
      );
    },
    TIMEOUT,
  );

  testWith(
    NEEDS,
    "--log with a file that cannot be written to: one line, nothing mounted",
    async () => {
      using made = folder();
      using target = folder();
      const image = writeImage(form, made.path, "sda1", whole.image);
      for (const log of [join(made.path, "missing/log"), made.path]) {
        const { status, err } = await vpartclone([image, "-m", target.path, "--log", log]);
        expect([status, err]).toEqual([1, expect.stringContaining("the log cannot be written")]);
        expect(err.split("\n").length).toBe(2);
      }
      expect((await vpartclone([image, "-v", "--log", "x"])).status).toBe(2);
    },
    TIMEOUT,
  );
});
