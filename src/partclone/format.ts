import type { Image } from "../image/image.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { describe } from "./description.ts";
import { PartcloneImage, type PartcloneParts } from "./image.ts";
import { MAGIC } from "./layouts.ts";

export { check, dump } from "./check.ts";

export type Parts = PartcloneParts;

export function claims(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC;
}

export async function open(
  source: ByteSource,
  stream: ByteStream,
  { indexSize }: { readonly indexSize?: number },
) {
  const description = await describe(stream, indexSize);
  const image = PartcloneImage.from(source, description);
  const shared = { format: "partclone" as const, parts: image.parts };
  return { image, findings: description.findings, shared };
}

export function revive(source: ByteSource, parts: Parts): Image {
  return new PartcloneImage(source, parts);
}
