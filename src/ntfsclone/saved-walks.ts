import { closeSync, fstatSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FileSource } from "../source/file.ts";
import { openOwn, quietly, removeOldest, requireOwnDirectory } from "../source/own-files.ts";
import type { Clusters } from "./commands.ts";
import type { KnownWalks } from "./description.ts";
import type { Extents } from "./extents.ts";
import { commands } from "./layout.ts";
import { decodeWalked, encodeWalked } from "./walked-file.ts";

/** A smaller image is followed in 10 ms. */
const WORTH_SAVING = 64 * 2 ** 20;
/** A file that was written this short ago may be written again without its time telling. */
const SETTLED_MS = 2000;
/** Images that are remembered. */
const MOST_FILES = 64;
const SUFFIX = ".ntfsclone-walk";
/** Commands looked at before a saved walk is believed: a seek each where nothing is cached. */
const SAMPLES = 16;

/**
 * What earlier mounts found in an image, kept in a directory of the user's own: following the
 * commands takes as long as reading the image. It is believed only of a file that is the same one,
 * has the same size, times and header, and the same commands where a few are looked at. Where
 * anything goes wrong, the commands are followed again.
 */
export function savedWalks(directory: string, file: FileSource): KnownWalks {
  const before = identityOf(file);
  const path = join(directory, `${before.name}${SUFFIX}`);
  return {
    load(clusters) {
      const walked = quietly(() => decodeWalked(readOwn(path), keyOf(file, clusters)));
      return walked && quietly(() => holds(file, clusters, walked.extents)) ? walked : null;
    },
    save(clusters, walked) {
      if (file.size < WORTH_SAVING || walked.counts.end.broken) return;
      quietly(() => {
        if (!isSettled(file) || identityOf(file).state !== before.state) return;
        saveWalked(directory, path, encodeWalked(walked, keyOf(file, clusters)));
      });
    },
  };
}

function identityOf({ fd }: FileSource) {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(fd, { bigint: true });
  return { name: `${dev}-${ino}`, state: [dev, ino, size, mtimeNs, ctimeNs].join(" ") };
}

const keyOf = (file: FileSource, clusters: Clusters): string =>
  JSON.stringify([identityOf(file).state, clusters]);

function isSettled({ fd }: FileSource): boolean {
  const { mtimeMs, ctimeMs } = fstatSync(fd);
  return Date.now() - Math.max(mtimeMs, ctimeMs) > SETTLED_MS;
}

function readOwn(path: string): Uint8Array {
  const fd = openOwn(path);
  try {
    return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Does each of a few stored clusters, all over the image, come after the command that stores it? */
function holds(file: FileSource, { clusterSize }: Clusters, extents: Extents): boolean {
  const { counts, imageOffsets } = extents;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const command = new Uint8Array(1);
  let extent = 0;
  let before = 0;
  for (let sample = 0; sample < Math.min(SAMPLES, total); sample++) {
    const wanted = Math.floor((sample * (total - 1)) / (SAMPLES - 1));
    while (before + (counts[extent] ?? total) <= wanted) before += counts[extent++] ?? total;
    const within = (wanted - before) * (clusterSize + 1);
    file.readSync(command, (imageOffsets[extent] ?? 0) + within - 1);
    if (command[0] !== commands.cluster) return false;
  }
  return true;
}

function saveWalked(directory: string, path: string, bytes: Uint8Array): void {
  requireOwnDirectory(directory);
  const unfinished = `${path}.${process.pid}`;
  // A process of the same number may have left one.
  rmSync(unfinished, { force: true });
  try {
    writeFileSync(unfinished, bytes, { mode: 0o600, flag: "wx" });
    renameSync(unfinished, path);
  } finally {
    rmSync(unfinished, { force: true });
  }
  removeOldest(directory, SUFFIX, MOST_FILES);
}
