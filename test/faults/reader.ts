import { BLOCK } from "./command.ts";

/** A process that reads one block of the file, and waits as long as the disk does. */
export function reader(file: string, block: number) {
  const dd = ["dd", `if=${file}`, `bs=${BLOCK}`, `skip=${block}`, "count=1", "iflag=direct"];
  const child = Bun.spawn([...dd, "status=none"], { stdio: ["ignore", "pipe", "ignore"] });
  return {
    child,
    /** The bytes, once they come; empty where they did not. */
    bytes: async () => Buffer.from(await child.stdout.bytes()),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}
