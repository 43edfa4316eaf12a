import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** What one run of the bench has made so far, and how to take it away again. */
export interface Lab extends AsyncDisposable {
  /** Smaller images, for a look at whether everything runs. */
  readonly quick: boolean;
  /** A path in the scratch directory. */
  path(name: string): string;
  /** A path among the images, which `--images DIR` keeps from run to run. */
  imagePath(name: string): string;
  /** What `make` gave the first time it was asked for under this key. */
  once<T>(key: string, make: () => T): T;
  /** 1, 2, 3 ...: for names that must differ. */
  count(): number;
  /** Done at the end, the latest first, whatever has failed. */
  defer(undo: () => unknown): void;
}

export interface LabOptions {
  readonly quick: boolean;
  /** Where images are kept; null: with the rest, and removed with it. */
  readonly images: string | null;
}

export function openLab({ quick, images }: LabOptions): Lab {
  const stack = new AsyncDisposableStack();
  const made = new Map<string, unknown>();
  let counted = 0;
  const scratch = mkdtempSync(join(tmpdir(), "vpartclone-bench-"));
  stack.defer(() => rmSync(scratch, { recursive: true, force: true }));
  if (images !== null) mkdirSync(images, { recursive: true });
  return {
    quick,
    path: (name) => join(scratch, name),
    imagePath: (name) => join(images ?? scratch, quick ? `quick-${name}` : name),
    once<T>(key: string, make: () => T): T {
      if (!made.has(key)) made.set(key, make());
      return made.get(key) as T;
    },
    count: () => ++counted,
    defer(undo) {
      stack.defer(async () => {
        try {
          await undo();
        } catch (error) {
          // The rest has to be taken away all the same.
          console.error(`cleaning up: ${error instanceof Error ? error.message : error}`);
        }
      });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
