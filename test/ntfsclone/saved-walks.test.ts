import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Walked } from "../../src/ntfsclone/description.ts";
import { savedWalks } from "../../src/ntfsclone/saved-walks.ts";
import { openFile } from "../../src/source/file.ts";

const CLUSTER = 65536;
const STRIDE = CLUSTER + 1;
const STORED = 1100;
const clusters = {
  clusterSize: CLUSTER,
  clusterCount: STORED + 10,
  deviceSize: (STORED + 10) * CLUSTER,
  littleEndian: true,
};

/** An image, as far as a saved walk looks at it, and what a walk found there. */
function scene(stack: DisposableStack) {
  const root = mkdtempSync(join(tmpdir(), "vpartclone-walks-"));
  stack.defer(() => rmSync(root, { recursive: true }));
  const image = join(root, "image");
  const bytes = new Uint8Array(50 + STORED * STRIDE + 9);
  for (let cluster = 0; cluster < STORED; cluster++) bytes[50 + cluster * STRIDE] = 1;
  writeFileSync(image, bytes);
  settle(image);
  return { image, directory: join(root, "cache"), walked };
}

const extents = {
  starts: Float64Array.of(0, 600),
  counts: Float64Array.of(500, STORED - 500),
  imageOffsets: Float64Array.of(51, 51 + 500 * STRIDE),
};
const walked: Walked = {
  extents,
  counts: {
    ...{ stored: STORED, distinct: STORED, gaps: 1, negativeGaps: 0, firstStored: 0 },
    ...{ boot: Uint8Array.of(1, 2, 3), backupBoot: null },
    end: { position: STORED + 10, broken: null, imageOffset: 50 + STORED * STRIDE + 9 },
  },
};

/** As if it had been written a while ago; its ctime is what makes a file settle. */
function settle(path: string): void {
  utimesSync(path, 1_700_000_000, 1_700_000_000);
  Bun.sleepSync(2100);
}

async function saveAndLoad(
  { image, directory }: { readonly image: string; readonly directory: string },
  between: (saved: string) => void = () => {},
): Promise<Walked | null> {
  await using first = openFile(image);
  savedWalks(directory, first).save(clusters, walked);
  const [name] = readdirSync(directory);
  if (name !== undefined) between(join(directory, name));
  await using second = openFile(image);
  return savedWalks(directory, second).load(clusters);
}

test("what a process of the same number left unfinished is no obstacle", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  await saveAndLoad(made, (saved) => renameSync(saved, `${saved}.${process.pid}`));
  expect(await saveAndLoad(made)).toEqual(walked);
  expect(readdirSync(made.directory)).toHaveLength(1);
});

test("what one mount has found the next one knows, in memory that threads share", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  const loaded = await saveAndLoad(made, (saved) => {
    expect(statSync(saved).mode & 0o777).toBe(0o600);
    expect(statSync(made.directory).mode & 0o777).toBe(0o700);
  });
  expect(loaded).toEqual(walked);
  expect(loaded?.extents.starts.buffer).toBeInstanceOf(SharedArrayBuffer);
}, 20_000);

test("it is not believed when anything differs", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  const spoilers: Readonly<Record<string, (saved: string) => void>> = {
    "a damaged byte": (saved) => {
      const bytes = readFileSync(saved);
      bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
      writeFileSync(saved, bytes);
    },
    "a file cut short": (saved) => writeFileSync(saved, readFileSync(saved).subarray(0, -8)),
    "an empty file": (saved) => writeFileSync(saved, ""),
    "a file that others can read": (saved) => chmodSync(saved, 0o644),
    "a symbolic link": (saved) => {
      const elsewhere = join(made.directory, "elsewhere");
      writeFileSync(elsewhere, readFileSync(saved), { mode: 0o600 });
      rmSync(saved);
      symlinkSync(elsewhere, saved);
    },
    "another time of the image": () => utimesSync(made.image, 1_700_000_000, 1_700_000_001),
  };
  for (const [what, spoil] of Object.entries(spoilers)) {
    rmSync(made.directory, { recursive: true, force: true });
    expect([what, await saveAndLoad(made, spoil)]).toEqual([what, null]);
  }
}, 20_000);

test("commands that are no longer there are noticed, whatever the times say", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  await using file = openFile(made.image);
  const wrong = { ...extents, imageOffsets: Float64Array.of(51, 51 + 500 * STRIDE + 7) };
  savedWalks(made.directory, file).save(clusters, { ...walked, extents: wrong });
  expect(readdirSync(made.directory).length).toBe(1);
  expect(savedWalks(made.directory, file).load(clusters)).toBeNull();
}, 20_000);

test("an image that was written to a moment ago is not remembered", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  utimesSync(made.image, 1_700_000_000, 1_700_000_002);
  await using file = openFile(made.image);
  savedWalks(made.directory, file).save(clusters, walked);
  expect(savedWalks(made.directory, file).load(clusters)).toBeNull();
}, 20_000);

test("a directory that others may write to is not used", async () => {
  using stack = new DisposableStack();
  const made = scene(stack);
  await using file = openFile(made.image);
  const open = mkdtempSync(join(made.directory, "..", "open-"));
  chmodSync(open, 0o777);
  savedWalks(open, file).save(clusters, walked);
  expect(readdirSync(open)).toEqual([]);
}, 20_000);
