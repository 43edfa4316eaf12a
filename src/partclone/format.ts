import type { Image } from "../image/image.ts";
import type { Finding } from "../image/rules.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { check as checkAll } from "./check.ts";
import { describe } from "./description.ts";
import { PartcloneImage, type PartcloneParts } from "./image.ts";
import { MAGIC } from "./layouts.ts";

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

export async function check(stream: ByteStream): Promise<readonly Finding[]> {
  return (await checkAll(stream)).findings;
}

export function revive(source: ByteSource, parts: Parts): Image {
  return new PartcloneImage(source, parts);
}
