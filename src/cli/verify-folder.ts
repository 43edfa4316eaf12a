import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { ImageBackupError } from "../bytes/errors.ts";
import { printable } from "../bytes/printable.ts";
import { counted, fullSize } from "../bytes/sizes.ts";
import { filesOf } from "../clonezilla/candidates.ts";
import { type ListedHash, listNames, readChecksumLists } from "../clonezilla/checksum-lists.ts";
import { type HashedFiles, type HashedResult, hashedFiles } from "../clonezilla/hashed-files.ts";
import { readImageFolder } from "../clonezilla/image-folder.ts";
import { isSliceHead, type SavedImage } from "../clonezilla/saved-image.ts";
import { checkImage } from "../formats.ts";
import { noProgress, type Progress, showProgress } from "../image/progress.ts";
import { decompressed, openStream } from "../source/open-stream.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { openStored } from "../source/stored.ts";
import { harmless, isSound, report, summary } from "./check.ts";
import { folderProblems } from "./folder-table.ts";
import type { Messages } from "./messages.ts";

/** What all parts of a verification share. */
interface Verification {
  readonly messages: Messages;
  readonly progress: Progress;
  readonly listed: ReadonlyMap<string, readonly ListedHash[]>;
  /** Prints a line about what was read; remembers what is wrong. */
  say(line: string, isRight: boolean): void;
  advance(bytes: number): void;
}

/**
 * Reads every file of the folder once: proves the images' own checksums and the lists'. Returns
 * whether all is right.
 */
export async function verifyFolder(
  path: string,
  quiet: boolean,
  messages: Messages,
): Promise<boolean> {
  const folder = await readImageFolder(path);
  const images = folder.partitions.flatMap(({ image, size }) =>
    image ? { ...image, size: isSliceHead(path, image) ? null : size } : [],
  );
  const names = filesOf(path);
  const lists = readChecksumLists(path, names);
  // What is wrong with an image is said when its turn comes.
  const general = folderProblems(folder);
  for (const problem of [...general, ...lists.problems]) messages.error(problem);

  const ofImages = images.flatMap(({ files }) => files.map((file) => basename(file)));
  const others = names.filter((name) => !ofImages.includes(name) && lists.byName.has(name));
  const sizes = [...ofImages, ...others].map((name) => statSync(join(path, name)).size);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const progress = quiet ? noProgress : showProgress(path, total);
  let [wrong, done] = [general.length + lists.problems.length, 0];
  const verification: Verification = {
    ...{ messages, progress, listed: lists.byName },
    say(line, isRight) {
      if (!isRight) wrong++;
      progress.clear();
      process.stdout.write(`${printable(line)}\n`);
    },
    advance(bytes) {
      done += bytes;
      progress.update(done);
    },
  };
  try {
    for (const image of images) await verifyImage(image, verification);
    for (const name of others) await verifyFiles([join(path, name)], verification);
  } finally {
    progress.stop();
  }
  for (const name of lists.byName.keys()) {
    if (!names.includes(name)) verification.say(`${name}: NOT THERE, but listed`, false);
  }
  if (lists.byName.size > 0) {
    const known = new Set([...lists.byName.keys(), ...listNames(names)]);
    for (const name of names.filter((each) => !known.has(each))) {
      verification.say(`${name}: there, but not listed`, true);
    }
  }
  const verdict = wrong === 0 ? "sound" : "NOT SOUND";
  const proved = [counted(images.length, "image"), `${counted(lists.byName.size, "listed file")}`];
  process.stdout.write(`${printable(path)}: ${verdict}: ${proved.join(", ")}\n`);
  return wrong === 0;
}

const hashesOf = (files: readonly string[], { listed, advance }: Verification): HashedFiles => {
  const known = files.map((path) => ({ path, listed: listed.get(basename(path)) ?? [] }));
  return hashedFiles(known, advance);
};

/** Files that are nothing but listed. */
async function verifyFiles(files: readonly string[], verification: Verification): Promise<void> {
  await telling(verification, files[0] ?? "", async () => {
    sayHashes(await hashesOf(files, verification).finish(), verification);
  });
}

function sayHashes(results: readonly HashedResult[], { say }: Verification): void {
  for (const { path, listed, wrong } of results.filter(({ listed }) => listed.length > 0)) {
    const name = basename(path);
    const right = listed.map(({ algorithm }) => algorithm.list);
    if (wrong.length === 0) say(`${name}: as in ${right.join(", ")}`, true);
    else say(`${name}: NOT as in ${wrong.join(", ")}`, false);
  }
}

/** An image, and the bytes of its partition that it must have; `null`: unknown. */
type Verified = SavedImage & { readonly size: number | null };

async function verifyImage(image: Verified, verification: Verification): Promise<void> {
  const { path, files, problem } = image;
  const { say, listed, messages, progress, advance } = verification;
  const isListed = files.some((file) => listed.has(basename(file)));
  if (problem !== null) {
    progress.clear();
    messages.error(problem);
    say(`${basename(path)}: NOT SOUND: it does not open`, false);
    if (isListed) await verifyFiles(files, verification);
    return;
  }
  // Where nothing is hashed, the threads of a check read a file faster.
  const isPlain = !isListed && image.compression === null && image.format !== "raw";
  const hashes = isPlain ? null : hashesOf(files, verification);
  await telling(verification, path, async () => {
    if (hashes) return proveStream(image, await hashedStream(path, hashes), verification);
    let seen = 0;
    await proveStream(image, await openStream(path), verification, (imageOffset) => {
      advance(imageOffset - seen);
      seen = imageOffset;
    });
  });
  if (hashes) {
    await telling(verification, path, async () => sayHashes(await hashes.finish(), verification));
  }
}

async function hashedStream(path: string, hashes: HashedFiles): Promise<ByteStream> {
  await using stored: ByteSource = openStored(path);
  return decompressed(hashes.stream(path, stored.ending));
}

/** What an image says of itself. */
async function proveStream(
  { path, format, size }: Verified,
  stream: ByteStream,
  { say, progress, messages }: Verification,
  advance: (imageOffset: number) => void = () => {},
): Promise<void> {
  await using image = stream;
  const name = basename(path);
  if (format === "raw") {
    await image.skip(Number.POSITIVE_INFINITY);
    const isWhole = size === null || image.position >= size;
    const cut = `NOT SOUND: it has ${fullSize(image.position)}, its partition ${fullSize(size ?? 0)}`;
    const whole = "can be read to its end; it has no checksums of its own";
    say(`${name}: ${isWhole ? whole : cut}`, isWhole);
    return;
  }
  const checked = await checkImage(image, {
    advance,
    finding(finding) {
      progress.clear();
      report(finding, name, harmless.has(finding.rule) ? messages.warn : messages.error);
    },
  });
  say(summary(checked, name, image.position), isSound(checked));
}

/** What cannot be read at all is said, and the other files are read all the same. */
async function telling(
  { messages, progress, say }: Verification,
  path: string,
  run: () => Promise<void>,
): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    progress.clear();
    messages.error(error.message);
    say(`${basename(path)}: NOT SOUND: it cannot be read to its end`, false);
  }
}
