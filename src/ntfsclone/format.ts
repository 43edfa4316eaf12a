import type { Image } from "../image/image.ts";
import type { Finding } from "../image/rules.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { describe } from "./description.ts";
import { NtfscloneImage, type NtfscloneParts } from "./image.ts";
import { MAGIC } from "./layout.ts";

export type Parts = NtfscloneParts;

export function claims(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC;
}

export async function open(source: ByteSource, stream: ByteStream) {
  const description = await describe(stream);
  const image = NtfscloneImage.from(source, description);
  const shared = { format: "ntfsclone" as const, parts: image.parts };
  return { image, findings: description.findings, shared };
}

/** The commands are all there is to check: the format has no checksums. */
export async function check(stream: ByteStream): Promise<readonly Finding[]> {
  return (await describe(stream)).findings;
}

export function revive(source: ByteSource, parts: Parts): Image {
  return new NtfscloneImage(source, parts);
}
