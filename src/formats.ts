import { ImageBackupError } from "./bytes/errors.ts";
import type { Checked, CheckVisitor, Dump } from "./image/check.ts";
import type { Examination, ExamineOptions } from "./image/examination.ts";
import type { Front } from "./image/front.ts";
import type { Image, Verify } from "./image/image.ts";
import type { Finding } from "./image/rules.ts";
import * as ntfsclone from "./ntfsclone/format.ts";
import * as partclone from "./partclone/format.ts";
import type { ByteSource, ByteStream } from "./source/source.ts";
import { SourceStream } from "./source/stream.ts";

export interface OpenOptions {
  /** Blocks under one count of the rank index: 32 to 1,048,576; 1024 by default. */
  readonly indexSize?: number;
  readonly verify?: Verify;
  /** A directory of the user's own, for what takes long to find out; none: nothing is kept. */
  readonly cache?: string;
}

/** An image whose blocks can be read, and what is wrong with it all the same. */
export interface LaidOutImage {
  readonly image: Image;
  readonly findings: readonly Finding[];
  /** The image as plain data over shared memory, for `reviveImage` in another thread. */
  readonly shared: SharedImage;
  /** What its size says against it, where `findings` do not say it: known at a stream's end. */
  readonly sizeFindings: (size: number) => readonly Finding[];
}

export type SharedImage =
  | { readonly format: "partclone"; readonly parts: partclone.Parts }
  | { readonly format: "ntfsclone"; readonly parts: ntfsclone.Parts };

/** Asked in this order; a format knows its images by their first bytes. */
const formats = [partclone, ntfsclone] as const;
const HEAD_BYTES = 16;
/** What the ids of the rules end in that a truncated image breaks. */
const TRUNCATED = "-DATA-COMPLETE";
/** Both formats of partclone have their version before this byte. */
const VERSION_BYTES = 34;

/**
 * Reads what lays out an image of any known format, from `stream`: the bytes of `source` in order.
 * Throws NOT_AN_IMAGE, UNSUPPORTED or CORRUPT.
 */
export async function layOutImage(
  source: ByteSource,
  options: OpenOptions = {},
  stream: ByteStream = new SourceStream(source),
): Promise<LaidOutImage> {
  const laidOut = await (await formatOf(stream)).layOut(source, stream, options);
  return { ...laidOut, findings: laidOut.findings.map(explainedBy(source)) };
}

/** Reads no more than tells what is in the image. Throws NOT_AN_IMAGE, UNSUPPORTED or CORRUPT. */
export async function readFront(stream: ByteStream): Promise<Front> {
  return (await formatOf(stream)).front(stream);
}

/** Reads the header and what else describes the image. */
export async function dumpImage(stream: ByteStream, indexSize?: number): Promise<Dump> {
  const dump = await (await formatOf(stream)).dump(stream, indexSize);
  return { ...dump, findings: dump.findings.map(explainedBy(stream)) };
}

/** Reads an image from its first byte to its last and reports all that is wrong with it. */
export async function checkImage(stream: ByteStream, visitor: CheckVisitor = {}): Promise<Checked> {
  const explained = explainedBy(stream);
  const finding = (each: Finding) => visitor.finding?.(explained(each));
  return (await formatOf(stream)).check(stream, { ...visitor, finding });
}

/**
 * Holds an image against every rule of its format. Throws with the rule's id where nothing further
 * can be judged: a damaged magic, an unknown version, a header that is cut.
 */
export async function examineImage(
  stream: ByteStream,
  options: ExamineOptions,
): Promise<Examination> {
  const head = new Uint8Array(VERSION_BYTES);
  const known = head.subarray(0, await stream.peek(head));
  const isKnown = formats.some(({ claims }) => claims(known));
  const rule = isKnown ? null : firstNamed(formats.map(({ damagedMagic }) => damagedMagic(known)));
  if (rule) {
    const message = `${stream.name}: an image all but for its first bytes, which are damaged (${rule})`;
    throw new ImageBackupError("NOT_AN_IMAGE", message, { imageOffset: 0, rule });
  }
  const examination = await (await formatOf(stream)).examine(stream, options);
  return { ...examination, findings: examination.findings.map(explainedBy(stream)) };
}

/** Says of a split image that is truncated which piece it lacks. */
function explainedBy({ ending }: { readonly ending?: string | undefined }) {
  return (finding: Finding): Finding =>
    ending !== undefined && finding.rule.endsWith(TRUNCATED)
      ? { ...finding, message: `${finding.message}; ${ending}` }
      : finding;
}

const firstNamed = (rules: readonly (string | null)[]) => rules.find((rule) => rule !== null);

/** The format of the image that begins here; nothing is read. Throws NOT_AN_IMAGE. */
export async function formatOf(stream: ByteStream) {
  const head = new Uint8Array(HEAD_BYTES);
  const known = head.subarray(0, await stream.peek(head));
  const format = formats.find(({ claims }) => claims(known));
  if (!format) throw notAnImage(stream.name, known);
  return format;
}

/** The image again, in a thread that was sent `shared`; `source` must be the same file. */
export async function reviveImage(source: ByteSource, shared: SharedImage): Promise<Image> {
  return shared.format === "partclone"
    ? partclone.revive(source, shared.parts)
    : ntfsclone.revive(source, shared.parts);
}

function notAnImage(name: string, head: Uint8Array): ImageBackupError {
  const why = head.length === 0 ? "is empty" : "begins as neither";
  return new ImageBackupError(
    "NOT_AN_IMAGE",
    `${name}: is not a partclone or ntfsclone image: it ${why}`,
    { imageOffset: 0 },
  );
}
