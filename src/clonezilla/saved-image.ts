import { statSync } from "node:fs";
import { ImageBackupError } from "../bytes/errors.ts";
import { formatOf, readFront } from "../formats.ts";
import { compressionOf } from "../source/compression.ts";
import { openStream } from "../source/open-stream.ts";
import type { ByteStream } from "../source/source.ts";
import { openStored } from "../source/stored.ts";
import type { Candidate } from "./candidates.ts";
import { deviceOf, type ImageName, readImageName } from "./image-names.ts";
import { readVariables } from "./metadata.ts";

/** An image of the folder. */
export interface SavedImage {
  readonly device: string;
  /** Opens it: its file, or its first piece. */
  readonly path: string;
  /** Its file, or its pieces. */
  readonly files: readonly string[];
  readonly pieces: number;
  /** Bytes of its files. */
  readonly fileSize: number;
  readonly compression: string | null;
  /** `partclone 0002`, `ntfsclone 10.1`, `raw`; `null`: unknown. */
  readonly format: string | null;
  readonly fsType: string | null;
  /** Bytes of the partition; `null`: the image does not say. */
  readonly deviceSize: number | null;
  /** Bytes of the partition that are stored. */
  readonly storedBytes: number | null;
  /** Why it cannot be opened; `null`: it can. */
  readonly problem: string | null;
}

/**
 * Bytes of the partition in an image that has this much room on the disk; `null`: unknown. A raw
 * image says nothing of what it lacks, which must not pass for zeros.
 */
export function partitionSize(
  { format, deviceSize }: Pick<SavedImage, "format" | "deviceSize">,
  room: number | null,
): number | null {
  if (format !== "raw") return deviceSize ?? room;
  return room === null ? deviceSize : Math.max(room, deviceSize ?? 0);
}

/** Of a BSD slice, whose parts have images of their own, Clonezilla saves the beginning only. */
export const isSliceHead = (folder: string, { device }: Pick<SavedImage, "device">): boolean =>
  readVariables(folder, `${device}.dd-img.info`).get("partition") === "BSD_slice";

/** The content of an image: what a file's name cannot know. */
type Content = Pick<SavedImage, "format" | "fsType" | "deviceSize" | "storedBytes" | "problem">;

/** What cannot be read: by what it begins with, an old image format, and a compressor. */
const UNREADABLE = [
  {
    ...{ magic: "PaRtImAgE-VoLuMe", format: "Partimage" },
    what: "is an image of Partimage, which cannot be read",
  },
  {
    ...{ magic: "LRZI", format: null },
    what: "is compressed by lrzip, which cannot be read: unpack it with lrzip -d",
  },
] as const;

/** Looks into a file; `null`: it is no image, by its content or by its name. */
export async function readSavedImage(candidate: Candidate): Promise<SavedImage | null> {
  const { name, files, problem } = candidate;
  const [path = ""] = files;
  const named = readImageName(name);
  const fileSize = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const known = { device: deviceOf(name), path, files, pieces: files.length, fileSize };
  const unknown = {
    format: null,
    fsType: named?.fsType ?? null,
    deviceSize: null,
    storedBytes: null,
  };
  if (problem !== null) {
    return named && { ...known, ...unknown, compression: null, problem };
  }
  try {
    const compression = await compressionAt(path);
    const content = await contentOf(path, named, compression === null ? fileSize : null);
    return content && { ...known, compression, ...content };
  } catch (error) {
    if (!(error instanceof ImageBackupError)) throw error;
    return named && { ...known, ...unknown, compression: null, problem: error.message };
  }
}

async function compressionAt(path: string): Promise<string | null> {
  await using source = openStored(path);
  return (await compressionOf(source))?.name ?? null;
}

/** By the content first: a raw image has none that could be told, and goes by its name. */
async function contentOf(
  path: string,
  named: ImageName | null,
  size: number | null,
): Promise<Content | null> {
  await using stream = await openStream(path);
  const nothing = { fsType: named?.fsType ?? null, deviceSize: null, storedBytes: null };
  const unreadable = await unreadableOf(stream);
  if (unreadable) {
    return { ...nothing, format: unreadable.format, problem: `${path}: ${unreadable.what}` };
  }
  if (named?.isRaw && !(await isImage(stream))) {
    return { ...nothing, format: "raw", deviceSize: size, storedBytes: size, problem: null };
  }
  if (!named && !(await isImage(stream))) return null;
  return { ...(await readFront(stream)), problem: null };
}

async function isImage(stream: ByteStream): Promise<boolean> {
  try {
    await formatOf(stream);
    return true;
  } catch (error) {
    if (error instanceof ImageBackupError && error.code === "NOT_AN_IMAGE") return false;
    throw error;
  }
}

async function unreadableOf(stream: ByteStream) {
  const head = new Uint8Array(Math.max(...UNREADABLE.map(({ magic }) => magic.length)));
  const text = String.fromCharCode(...head.subarray(0, await stream.peek(head)));
  return UNREADABLE.find(({ magic }) => text.startsWith(magic)) ?? null;
}
