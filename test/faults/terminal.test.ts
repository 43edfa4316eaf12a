import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { mountAt } from "../../src/fuse/mount-table.ts";
import { mountDirectory, ROOT, run, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import {
  BLOCK,
  COMMAND,
  fixture,
  folder,
  isRight,
  NEEDS,
  readRange,
  serversOf,
  TIMEOUT,
} from "./command.ts";

const whole = fixture();

/** Runs a command line in a terminal of its own, which `close` takes away from under it. */
function terminal(commandLine: string) {
  const child = Bun.spawn(["script", "-qec", commandLine, "/dev/null"], {
    stdio: ["pipe", "ignore", "ignore"],
  });
  return {
    ended: child.exited,
    /** The terminal's other end goes, as when its window is closed. */
    async close() {
      child.kill("SIGKILL");
      await child.exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

const commandOf = (image: string, directory: string, more = "") =>
  `'${process.execPath}' '${COMMAND}' '${image}' -m '${directory}' ${more}`;

testWith(
  [...NEEDS, "script"],
  "the terminal closed that a mount was started from: the mount goes on",
  async () => {
    using made = folder();
    using directory = mountDirectory(ROOT);
    const image = made.file("sda1.img", whole.image);
    const done = join(made.path, "done");
    await using shell = terminal(`${commandOf(image, directory.path)}; touch ${done}; sleep 60`);
    await until(() => existsSync(done));
    await shell.close();
    await Bun.sleep(200);
    const file = join(directory.path, "sda1");
    expect(isRight(readRange(file, 0, BLOCK), whole, 0)).toBe(true);
    expect(run(ROOT, "umount", directory.path).code).toBe(0);
    await until(() => serversOf(directory.path).length === 0);
  },
  TIMEOUT,
);

testWith(
  [...NEEDS, "script"],
  "the terminal closed before the mount is ready: it is served, or gone, but never stale",
  async () => {
    using made = folder();
    using directory = mountDirectory(ROOT);
    const image = made.file("sda1.img", whole.image);
    await using shell = terminal(commandOf(image, directory.path));
    await until(() => mountAt(directory.path) !== null);
    await shell.close();
    // A hangup that still reaches the server unmounts, which is as good; let it arrive first.
    await Bun.sleep(500);
    await until(() => run(ROOT, "ls", directory.path).code === 0);
    if (mountAt(directory.path) === null) return;
    expect(isRight(readRange(join(directory.path, "sda1"), 0, BLOCK), whole, 0)).toBe(true);
    expect(run(ROOT, "umount", directory.path).code).toBe(0);
    await until(() => serversOf(directory.path).length === 0);
  },
  TIMEOUT,
);

testWith(
  [...NEEDS, "script"],
  "the terminal closed while the foreground serves and prints: unmounted, nothing left behind",
  async () => {
    using made = folder();
    using directory = mountDirectory(ROOT);
    const image = made.file("sda1.img", whole.image);
    await using shell = terminal(commandOf(image, directory.path, "-d"));
    await until(() => mountAt(directory.path) !== null);
    expect(isRight(readRange(join(directory.path, "sda1"), 0, BLOCK), whole, 0)).toBe(true);
    await shell.close();
    await until(() => mountAt(directory.path) === null);
    await until(() => serversOf(directory.path).length === 0);
  },
  TIMEOUT,
);

testWith(
  [...NEEDS, "tmux"],
  "the session of a terminal multiplexer killed: the mount goes on",
  async () => {
    using made = folder();
    using directory = mountDirectory(ROOT);
    const image = made.file("sda1.img", whole.image);
    const tmux = ["tmux", "-S", join(made.path, "socket")];
    const done = join(made.path, "done");
    const command = `${commandOf(image, directory.path)}; touch ${done}; sleep 60`;
    expect(
      run(ROOT, ...tmux, "-f", "/dev/null", "new-session", "-d", "-s", "ours", command).code,
    ).toBe(0);
    try {
      await until(() => existsSync(done));
    } finally {
      run(ROOT, ...tmux, "kill-session", "-t", "ours");
    }
    await Bun.sleep(200);
    expect(isRight(readRange(join(directory.path, "sda1"), 0, BLOCK), whole, 0)).toBe(true);
    expect(run(ROOT, "umount", directory.path).code).toBe(0);
    await until(() => serversOf(directory.path).length === 0);
  },
  TIMEOUT,
);
