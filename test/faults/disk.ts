import { join } from "node:path";
import { mountDirectory, ROOT, until } from "../fuse/harness.ts";
import { type DiskConfig, type Mood, moods } from "./moods.ts";

const SERVER = join(import.meta.dirname, "disk-server.ts");

/** A file system of ours with one file, that fails on demand. */
export interface Disk extends AsyncDisposable {
  /** The file on it. */
  readonly file: string;
  /** From now on reads of the range (all by default) come to this. */
  turn(mood: Mood, from?: number, to?: number): Promise<void>;
  /** As if the cable were pulled. */
  vanish(): Promise<void>;
}

export async function disk(path: string, name: string): Promise<Disk> {
  const directory = mountDirectory(ROOT);
  const config: DiskConfig = { mountPoint: directory.path, path, name };
  const child = Bun.spawn([process.execPath, SERVER, JSON.stringify(config)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  let said = "";
  const listen = async () => {
    for await (const chunk of child.stdout) said += new TextDecoder().decode(chunk);
  };
  void listen();
  const count = (word: string) => said.split("\n").filter((line) => line === word).length;
  const vanish = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  await until(() => count("ready") > 0 || child.exitCode !== null);
  return {
    file: join(directory.path, name),
    async turn(mood, from = 0, to = 2 ** 31 - 1) {
      const before = count("changed");
      child.stdin.write(`${JSON.stringify([moods.indexOf(mood), from, to])}\n`);
      await child.stdin.flush();
      await until(() => count("changed") > before);
    },
    vanish,
    async [Symbol.asyncDispose]() {
      await vanish();
      directory[Symbol.dispose]();
    },
  };
}
