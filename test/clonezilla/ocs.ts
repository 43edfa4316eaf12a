import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must, run, scratchDirectory } from "../real/stage.ts";

/** How Clonezilla compresses: its option, its command, and the ending of the images' names. */
export interface Compressor {
  readonly option: string;
  readonly command: string;
  readonly ending: string;
}

export const PIGZ: Compressor = {
  option: "-z1p",
  command: "pigz -c --fast -b 1024 --rsyncable",
  ending: "gz",
};
export const ZSTD: Compressor = { option: "-z9p", command: "zstdmt -c -3", ending: "zst" };

/** No run takes longer. */
const TIMEOUT = 100_000;

/** Its cache of devices and its logs are shared by all runs on a machine: each has its own here. */
const CACHE = "/tmp/ocs-cache";
const ALONE = `mkdir -p ${CACHE} && mount -t tmpfs none ${CACHE} && mount -t tmpfs none /var/log && exec "$@"`;
/** What it sleeps through so that people can read, and looks up beforehand: left out. */
const LEFT_OUT = ["sleep", "ocs-prep-cache"];

/**
 * Saves a disk with Clonezilla itself: batch mode, partclone, no fsck, no encryption, no check of
 * what was saved.
 */
export async function ocsSave(
  stack: DisposableStack,
  device: string,
  compressor: Compressor,
  options: readonly string[],
): Promise<string> {
  const root = scratchDirectory(stack);
  stack.defer(() => run(["rmdir", CACHE]));
  const bin = join(root, "bin");
  mkdirSync(bin);
  for (const name of LEFT_OUT) {
    writeFileSync(join(bin, name), "#!/bin/sh\n");
    chmodSync(join(bin, name), 0o755);
  }
  const quiet = ["-b", "-nogui", "-q2", "-sfsck", "-senc", "-scs", "-p", "true"];
  const what = [...options, "-or", root, "savedisk", "saved", device.replace("/dev/", "")];
  const ocs = ["ocs-sr", ...quiet, compressor.option, ...what];
  const child = Bun.spawn(["unshare", "--mount", "sh", "-c", ALONE, "sh", ...ocs], {
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, LC_ALL: "C.UTF-8" },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: TIMEOUT,
  });
  const said = await Promise.all([child.stdout.text(), child.stderr.text()]);
  if ((await child.exited) !== 0) throw new Error(`ocs-sr: ${said.join("\n")}`);
  return join(root, "saved");
}

/** Saves one logical volume more, with the pipeline that Clonezilla uses for it. */
export function saveVolume(
  folder: string,
  device: string,
  name: string,
  compressor: Compressor,
): void {
  const image = join(folder, `${name}.ext4-ptcl-img.${compressor.ending}`);
  const save = `partclone.ext4 -z 10485760 -L /dev/null -c -s ${device} --output -`;
  must(["sh", "-c", `${save} | ${compressor.command} | split -a 2 -b 1MB - ${image}.`]);
}
