import { describe, expect } from "bun:test";
import { mkdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { mountInForeground } from "../cli/mounted.ts";
import { ROOT, until } from "../fuse/harness.ts";
import { testWith } from "../require.ts";
import { expectSameBytes } from "./compare.ts";
import { type Argv, must, run, scratchDirectory } from "./stage.ts";
import { writeTree } from "./tree.ts";

/** Clients that look for holes read little more than what the image stores. */

const MiB = 2 ** 20;
const SIZE = 512 * MiB;
const TIMEOUT = 60_000;
const NEEDS = ["root", "/dev/fuse", "mkfs.ext4", "partclone.extfs"];

interface Client {
  readonly name: string;
  readonly needs: readonly string[];
  /** Copies the partition into `copy`; several commands one after the other. */
  readonly copy: (file: string, copy: string) => readonly Argv[];
}

const clients: readonly Client[] = [
  { name: "cp", needs: ["cp"], copy: (file, copy) => [["cp", file, copy]] },
  {
    name: "tar -S",
    needs: ["tar"],
    copy: (file, copy) => [
      ["tar", "-S", "-cf", `${copy}.tar`, "--transform=s,.*,copy,", "-P", file],
      ["tar", "-S", "-xf", `${copy}.tar`, "-C", join(copy, "..")],
    ],
  },
  {
    name: "qemu-img convert",
    needs: ["qemu-img"],
    copy: (file, copy) => [["qemu-img", "convert", "-f", "raw", "-O", "raw", file, copy]],
  },
];

/** An image of a file system that is mostly empty. */
function sparseImage(stack: DisposableStack): { volume: string; image: string } {
  const directory = scratchDirectory(stack);
  const [tree, volume, image] = ["tree", "volume", "sparse.img"].map((name) =>
    join(directory, name),
  );
  if (!tree || !volume || !image) throw new Error("unreachable");
  mkdirSync(tree);
  writeTree(tree, true);
  writeFileSync(volume, "");
  truncateSync(volume, SIZE);
  must(["mkfs.ext4", "-q", "-F", "-d", tree, volume]);
  must(["partclone.extfs", "-c", "-q", "-f0", "-L", "/dev/null", "-s", volume, "-o", image]);
  return { volume, image };
}

/** What the server was asked: bytes of all reads, and how often for a hole or for data. */
function asked(log: string): { bytes: number; seeks: number } {
  const reads = log.matchAll(/READ node=2 .* -> (\d+) bytes/g);
  const bytes = [...reads].reduce((sum, [, count]) => sum + Number(count), 0);
  return { bytes, seeks: log.match(/ LSEEK /g)?.length ?? 0 };
}

describe("holes are skipped", () => {
  for (const { name, needs, copy } of clients) {
    testWith(
      [...NEEDS, ...needs],
      `by ${name}`,
      async () => {
        using stack = new DisposableStack();
        const { volume, image } = sparseImage(stack);
        const target = join(scratchDirectory(stack), "copy");
        await using mounted = await mountInForeground(ROOT, "vpartclone", image);
        for (const argv of copy(mounted.file, target)) must(argv);
        await until(() => asked(mounted.err()).bytes > 0.5 * statSync(image).size);
        expectSameBytes(target, volume);

        const stored = statSync(image).size;
        const { bytes, seeks } = asked(mounted.err());
        expect(seeks).toBeGreaterThan(1);
        expect(bytes).toBeGreaterThan(0.5 * stored);
        // The kernel reads ahead over the start of a hole, and holes below 64 KiB are none.
        expect(bytes).toBeLessThan(stored + 16 * MiB);
        expect(statSync(target).blocks * 512).toBeLessThan(stored + 16 * MiB);
      },
      TIMEOUT,
    );
  }

  testWith(
    [...NEEDS, "du", "stat"],
    "the block count is what the image stores",
    async () => {
      using stack = new DisposableStack();
      const { image } = sparseImage(stack);
      await using mounted = await mountInForeground(ROOT, "vpartclone", image, "-v");
      const used = /^fs_used_bitmap +([\d,]+)/m.exec(mounted.out)?.[1]?.replaceAll(",", "");
      const blockSize = /^fs block size +(\d+)/m.exec(mounted.out)?.[1];
      const bytes = Number(used) * Number(blockSize);
      expect(bytes).toBeGreaterThan(2 * MiB);
      expect(statSync(mounted.file)).toMatchObject({ size: SIZE, blocks: bytes / 512 });
      expect(run(["du", "-B1", mounted.file]).output).toStartWith(`${bytes}\t`);
      expect(run(["du", "-B1", "--apparent-size", mounted.file]).output).toStartWith(`${SIZE}\t`);
    },
    TIMEOUT,
  );
});
