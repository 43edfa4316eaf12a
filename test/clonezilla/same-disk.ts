import { expect } from "bun:test";
import { statSync } from "node:fs";
import { must } from "../real/stage.ts";
import { filesOn, type RealDisk } from "./real-disk.ts";
import { tableOf } from "./tables.ts";

export interface Compared {
  /** The whole disk in a mount. */
  readonly shown: string;
  readonly original: string;
  /** Of the original, by the partitions' numbers. */
  readonly files: ReadonlyMap<number, string[] | null>;
}

/** Both have the same partitions, with the same in them; `group`: compares physical volumes. */
export function expectSameDisk(
  { size, parts, partitions }: RealDisk,
  { shown, original, files }: Compared,
  group: (ours: string, theirs: string) => void,
): void {
  expect(statSync(shown).size).toBe(size);
  expect(tableOf({ path: shown, size })).toEqual(tableOf({ path: original, size }));
  for (const [index, { start, size: sectors }] of parts.entries()) {
    const { number = 0, holds = "" } = partitions[index] ?? {};
    using place = new DisposableStack();
    const range = ["--offset", `${start * 512}`, "--sizelimit", `${sectors * 512}`];
    const attach = ["losetup", "--read-only", "--find", "--show", ...range];
    const attached = (path: string) => {
      const loop = must([...attach, path]).trim();
      place.defer(() => must(["losetup", "--detach", loop]));
      return loop;
    };
    const [ours, theirs] = [attached(shown), attached(original)];
    expect(filesOn(ours, holds)).toEqual(files.get(number) ?? null);
    const tags = (path: string) => must(["blkid", "-p", "-o", "export", path]).replaceAll(path, "");
    if (holds !== "extended") expect(tags(ours)).toBe(tags(theirs));
    if (holds === "volume group") group(ours, theirs);
  }
}
