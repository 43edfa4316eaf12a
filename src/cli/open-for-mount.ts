import { statSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { handOver } from "../bytes/hand-over.ts";
import type { LaidOutImage, OpenOptions } from "../formats.ts";
import { layOutImage } from "../formats.ts";
import type { Finding } from "../image/rules.ts";
import { seekableCodec } from "../seekable/codecs.ts";
import { openSeekable, type SeekableOptions } from "../seekable/open-seekable.ts";
import type { SeekableSource } from "../seekable/seekable-source.ts";
import { type Compression, compressionOf } from "../source/compression.ts";
import { decompressed } from "../source/open-stream.ts";
import { openStored, type StoredSource } from "../source/stored.ts";
import { SourceStream } from "../source/stream.ts";

/** The file of an image, and how its bytes are compressed, if they are. */
export interface MountableFile {
  readonly source: StoredSource;
  readonly compression: Compression | null;
}

/** Opens what can be read in any order; of anything else says what to do about it. */
export async function openMountable(imagePath: string): Promise<MountableFile> {
  if (imagePath === "-") throw notMountable("-: standard input");
  if (isPipe(imagePath)) throw notMountable(`${imagePath}: a pipe`);
  return handOver(openStored(imagePath), async (source) => ({
    source,
    compression: await compressionOf(source),
  }));
}

function isPipe(path: string): boolean {
  try {
    return statSync(path).isFIFO();
  } catch {
    return false; // Opening it as a file says what is wrong.
  }
}

function notMountable(what: string): ImageBackupError {
  return new ImageBackupError(
    "UNSUPPORTED",
    `${what} can be checked and restored but not mounted; save it to a file first`,
  );
}

/** Opens compressed data for reads in any order; owns `source` from then on. */
export async function openCompressed(
  source: StoredSource,
  { name }: Compression,
  options: SeekableOptions,
): Promise<SeekableSource> {
  return openSeekable(source, await seekableCodec(name), options);
}

/**
 * Lays out a compressed image while its data are indexed. What describes it is decompressed in
 * order: that needs no index, and is the faster way through an ntfsclone image's commands.
 */
export async function layOutCompressed(
  source: StoredSource,
  compression: Compression,
  layOut: OpenOptions,
  options: SeekableOptions,
): Promise<LaidOutImage> {
  return handOver(await openCompressed(source, compression, options), async (seekable) => {
    // The file that is open already: by its name another may be there by now.
    await using stream = await decompressed(new SourceStream(source));
    const laidOut = await layOutImage(seekable, { verify: "until-proved", ...layOut }, stream);
    await seekable.begun();
    const { shared } = laidOut;
    if (shared.format === "partclone" && shared.parts.proofs) seekable.believeVoid();
    return {
      ...laidOut,
      findings: [...laidOut.findings, ...sizeFindings(seekable, laidOut, options)],
    };
  });
}

/** What the size of the data says; the log is told where it is known only when all is indexed. */
function sizeFindings(
  seekable: SeekableSource,
  { sizeFindings: judge }: LaidOutImage,
  { log }: SeekableOptions,
): readonly Finding[] {
  if (seekable.size !== Infinity) return judge(seekable.size);
  const tell = () => {
    for (const { message, rule } of judge(seekable.size))
      log(`${seekable.name}: ${message} (${rule})`);
  };
  // Why it cannot be indexed is told by itself.
  seekable.indexed(() => {}).then(tell, () => {});
  return [];
}
