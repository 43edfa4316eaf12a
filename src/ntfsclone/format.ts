import { ImageBackupError } from "../bytes/errors.ts";
import { isNearly } from "../image/examination.ts";
import type { Front } from "../image/front.ts";
import type { Image, Verify } from "../image/image.ts";
import { refusal } from "../image/rules.ts";
import { FileSource } from "../source/file.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { describe, readFront } from "./description.ts";
import { NtfscloneImage, type NtfscloneParts } from "./image.ts";
import { formatName, MAGIC } from "./layout.ts";
import { savedWalks } from "./saved-walks.ts";

export { check, dump } from "./check.ts";
export { examine } from "./examine.ts";

export const name = "ntfsclone";

export type Parts = NtfscloneParts;

export function claims(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC;
}

/** The rule that a file breaks which is an image all but for its magic. */
export function damagedMagic(head: Uint8Array): string | null {
  return isNearly(head, MAGIC) ? "NTC-MAGIC" : null;
}

/** Reads the header; nothing of the commands. Throws CORRUPT where it forbids reading the data. */
export async function front(stream: ByteStream): Promise<Front> {
  const { header, ...described } = await readFront(stream);
  if (!described.layout) throw refusal(stream.name, described.refused);
  const { deviceSize, clusterSize } = described.layout;
  return {
    format: formatName(header),
    fsType: "NTFS",
    deviceSize,
    storedBytes: Math.min(Number(header.inUse) * clusterSize, deviceSize),
  };
}

export async function layOut(
  source: ByteSource,
  stream: ByteStream,
  { verify, cache }: { readonly verify?: Verify; readonly cache?: string },
) {
  if (verify === true) {
    const message = `${source.name}: --verify cannot prove this image: ntfsclone's format has no checksums`;
    throw new ImageBackupError("UNSUPPORTED", message);
  }
  const isFile = source instanceof FileSource;
  const known = isFile && cache !== undefined ? savedWalks(cache, source) : undefined;
  const description = await describe(stream, known);
  const image = NtfscloneImage.from(source, description);
  const shared = { format: "ntfsclone" as const, parts: image.parts };
  // The way through the commands comes to the end.
  return { image, findings: description.findings, shared, sizeFindings: () => [] };
}

export function revive(source: ByteSource, parts: Parts): Image {
  return new NtfscloneImage(source, parts);
}
