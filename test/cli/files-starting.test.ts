import { afterAll, expect } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import {
  mountDirectory,
  mountNeeds,
  openDeviceToAll,
  programCommand,
  ROOT,
  run,
  USER,
  until,
} from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { leftOf, processesOf } from "./files-mounted.ts";
import { scratch, scriptOf } from "./program.ts";

/** `--files` while it starts: what is killed then leaves nothing either. */

const TIMEOUT = 60_000;
const files = scratch();
afterAll(() => files[Symbol.dispose]());
chmodSync(files.path, 0o755);

const GOLDEN = resolve(import.meta.dir, "../golden/ext4-v2-xxh128-k8.img");
let images = 0;

/** A copy of its own, so that what belongs to a mount is told by the name. */
const golden = (): string =>
  files.file(`starting-${process.pid}-${images++}.img`, readFileSync(GOLDEN));

const parentOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[1]);

/** Drivers that leave time to kill who has started them. */
const slowDrivers: Readonly<Record<string, string>> = {
  "before it has mounted": 'sleep 1; exec "$driver" "$@"',
  "after it has": '"$driver" "$@"; sleep 60',
};

for (const [when, script] of Object.entries(slowDrivers)) {
  testWith(
    [...mountNeeds(USER), "fuse2fs"],
    `FUS-FILES-KILLED: who waits for a driver is killed ${when}: no mount stays`,
    async () => {
      openDeviceToAll();
      using point = mountDirectory(USER);
      const bin = mkdtempSync(join(files.path, "bin-"));
      chmodSync(bin, 0o755);
      const driver = join(bin, "fuse2fs");
      writeFileSync(driver, `#!/bin/sh\ndriver=${Bun.which("fuse2fs")}\n${script}\n`, {
        mode: 0o755,
      });
      const known = { image: golden(), directory: point.path };
      const command = programCommand(USER, scriptOf("vpartclone"), scriptOf("worker"));
      const child = Bun.spawn(
        [...USER.prefix, ...command, known.image, "-m", point.path, "--files"],
        {
          ...{ cwd: "/", stdio: ["ignore", "ignore", "pipe"] },
          env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
        },
      );
      const slow = () => processesOf(point.path).find(({ args }) => args[1] === driver);
      await until(() => slow() !== undefined);
      if (when === "after it has") await until(() => mountAt(point.path) !== null);
      process.kill(parentOf(slow()?.pid ?? 0), "SIGKILL");
      expect(await new Response(child.stderr).text()).toBe(
        "vpartclone: the process that mounts died\n",
      );
      expect(await child.exited).toBe(1);
      // By then the driver would have mounted.
      await Bun.sleep(1500);
      await until(() => leftOf(known).length === 0);
    },
    TIMEOUT,
  );
}

testWith(
  [...mountNeeds(ROOT), "/dev/loop-control", "kernel:ext4"],
  "FUS-FILES-RECORD: what is hidden is written down before it is mounted",
  async () => {
    using point = mountDirectory(ROOT);
    const image = golden();
    const known = { image, directory: point.path };
    const args = [image, "-m", point.path, "--files"];
    const child = Bun.spawn([process.execPath, scriptOf("vpartclone"), ...args], {
      stdio: ["ignore", "ignore", "ignore"],
    });
    const isMounted = () => readFileSync("/proc/self/mountinfo", "utf8").includes(image);
    while (!isMounted() && child.exitCode === null) await Bun.sleep(0);
    expect(leftOf(known)).toContainEqual(expect.stringMatching(/\.json$/));
    expect(await child.exited).toBe(0);
    expect(run(ROOT, "umount", point.path).code).toBe(0);
    await until(() => leftOf(known).length === 0);
  },
  TIMEOUT,
);
