import { ImageBackupError } from "../bytes/errors.ts";
import { isNearly } from "../image/examination.ts";
import type { Front } from "../image/front.ts";
import type { Image, Verify } from "../image/image.ts";
import { refusal } from "../image/rules.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { describe, type Geometry, judgeSize } from "./description.ts";
import { PartcloneImage, type PartcloneParts } from "./image.ts";
import { formatName, MAGIC, VERSION_AT } from "./layouts.ts";
import { type Proofs, stripStates, unverifiable, VerifiedSource } from "./verified-source.ts";

export { check, dump } from "./check.ts";
export { examine } from "./examine.ts";

export const name = "partclone";

/** `proofs`: how its strips are proved; `null` where they are not. */
export type Parts = PartcloneParts & { readonly proofs: Proofs | null };

export function claims(head: Uint8Array): boolean {
  return String.fromCharCode(...head.subarray(0, MAGIC.length)) === MAGIC;
}

/** The rule that a file breaks which is an image all but for its magic. */
export function damagedMagic(head: Uint8Array): string | null {
  if (!isNearly(head, MAGIC)) return null;
  const version = String.fromCharCode(...head.subarray(VERSION_AT, VERSION_AT + 4));
  return version === "0001" ? "PC1-MAGIC" : "PC2-MAGIC";
}

/** Reads the header and the bitmap. Throws CORRUPT where they forbid reading the data. */
export async function front(stream: ByteStream): Promise<Front> {
  const { header, ...described } = await describe(stream);
  if (!described.layout) throw refusal(stream.name, described.refused);
  const { deviceSize, usedBlocks, blockSize } = described.layout.geometry;
  return {
    format: formatName(header),
    fsType: header.fsType,
    deviceSize,
    storedBytes: Math.min(usedBlocks * blockSize, deviceSize),
  };
}

export async function layOut(
  source: ByteSource,
  stream: ByteStream,
  { indexSize, verify = false }: { readonly indexSize?: number; readonly verify?: Verify },
) {
  const description = await describe(stream, indexSize);
  const plain = PartcloneImage.from(source, description).parts;
  const parts: Parts = { ...plain, proofs: proofsFor(verify, source, plain.geometry) };
  const image = revive(source, parts);
  return {
    image,
    findings: description.findings,
    shared: { format: "partclone" as const, parts },
    sizeFindings: (fileSize: number) => judgeSize(plain.geometry, fileSize),
  };
}

function proofsFor(verify: Verify, { name, size }: ByteSource, geometry: Geometry): Proofs | null {
  if (!verify) return null;
  const trustsProved = verify === "until-proved";
  const reason = unverifiable(geometry);
  if (reason === null) return { states: stripStates(geometry, size), trustsProved };
  if (trustsProved) return null;
  throw new ImageBackupError("UNSUPPORTED", `${name}: --verify cannot prove this image: ${reason}`);
}

export function revive(source: ByteSource, parts: Parts): Image {
  const { geometry, proofs } = parts;
  return new PartcloneImage(proofs ? new VerifiedSource(source, geometry, proofs) : source, parts);
}
