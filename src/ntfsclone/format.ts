import type { Image } from "../image/image.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { describe } from "./description.ts";
import { NtfscloneImage, type NtfscloneParts } from "./image.ts";
import { MAGIC } from "./layout.ts";

export { check, dump } from "./check.ts";

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

export function revive(source: ByteSource, parts: Parts): Image {
  return new NtfscloneImage(source, parts);
}
