import {
  askable,
  type Examination,
  type ExamineOptions,
  findingKeeper,
  type Unjudged,
} from "../image/examination.ts";
import type { Finding } from "../image/rules.ts";
import type { ByteSource, ByteStream } from "../source/source.ts";
import { checkDescribed } from "./check.ts";
import { describe, type Geometry } from "./description.ts";
import { v1HeaderRules, v2HeaderRules } from "./header-rules.ts";
import { PartcloneImage } from "./image.ts";
import { bitmapModes, formatName, type Header, type V2Header } from "./layouts.ts";
import { v1EndRules, v1MapRules, v1SizeRules, v2EndRules, v2MapRules } from "./map-rules.ts";

const ids = (rules: readonly { readonly id: string }[]) => rules.map(({ id }) => id);

/** Every rule, in the order in which the file is read. */
const orders = {
  1: [
    ...["PC1-MAGIC", "PC1-VERSION", "PC1-HEADER-COMPLETE"],
    ...ids([...v1HeaderRules, ...v1MapRules, ...v1SizeRules]),
    "PC1-CHECKSUM",
  ],
  2: [
    ...["PC2-MAGIC", "PC2-VERSION", "PC2-HEADER-COMPLETE"],
    ...ids([...v2HeaderRules, ...v2MapRules, ...v2EndRules]),
    "PC2-CHECKSUM",
  ],
} as const;

/** Behind each of these, nothing can be judged if it or a rule before it forbids reading on. */
const barriers: ReadonlySet<string> = new Set([
  "PC2-BYTE-ORDER",
  "PC2-HEADER-CRC",
  ...ids([...v1HeaderRules.slice(-1), ...v2HeaderRules.slice(-1)]),
  ...["PC1-BYTE-MAP-COMPLETE", "PC2-BITMAP-COMPLETE"],
  ...["PC1-BITMAGIC", "PC2-BITMAGIC"],
]);

export async function examine(stream: ByteStream, options: ExamineOptions): Promise<Examination> {
  const description = await describe(stream);
  const { header, layout } = description;
  const asked = askable(orders[header.generation], barriers, description.findings);
  const { findings, totals, add } = findingKeeper(options.mostFindings);
  const finding = (each: Finding) => {
    if (asked.has(each.rule)) add(each);
  };
  if (layout) options.begin?.();
  if (options.quick) description.findings.forEach(finding);
  else await checkDescribed(stream, description, { finding });
  const unjudged = options.quick ? unread(header, stream) : new Map<string, Unjudged>();
  for (const [rule, reason] of idleRules(header, layout?.geometry ?? null)) {
    unjudged.set(rule, { status: "not applicable", reason });
  }
  return {
    format: formatName(header),
    fsType: header.fsType,
    findings,
    totals,
    asked,
    unjudged,
    refused: layout ? null : description.refused,
    imageOver: (source: ByteSource) => (layout ? PartcloneImage.from(source, description) : null),
  };
}

/** The rules about data that was not read. The size of a pipe shows only at its end. */
function unread({ generation }: Header, { size }: ByteStream): Map<string, Unjudged> {
  const endRules = generation === 1 ? v1EndRules : v2EndRules;
  const rules = [`PC${generation}-CHECKSUM`, ...(size === null ? ids(endRules) : [])];
  const reason = "a quick check does not read the data";
  return new Map(rules.map((rule) => [rule, { status: "not judged", reason }]));
}

/** The rules that say nothing of such an image, and why. */
function idleRules(header: Header, geometry: Geometry | null): [rule: string, reason: string][] {
  const isEmpty = geometry?.usedBlocks === 0;
  const idle =
    header.generation === 1
      ? {
          "PC1-CHECKSUM-WIDTH": isEmpty && NOTHING_STORED,
          "PC1-CHECKSUM": isEmpty && NOTHING_STORED,
        }
      : v2Idle(header, isEmpty);
  return Object.entries(idle).flatMap(([rule, reason]) => (reason ? [[rule, reason]] : []));
}

const NOTHING_STORED = "the image stores no block";

function v2Idle(header: V2Header, isEmpty: boolean): Record<string, string | false> {
  const { bitmapMode: mode, checksumMode, littleEndian } = header;
  const isBits = mode === bitmapModes.bits;
  const noBits = !isBits && "its bitmap is not one of bits";
  const noBytes = mode !== bitmapModes.bytes && "its bitmap is not one of bytes";
  const noChecksums = checksumMode === 0 && "the image has no checksums";
  const noSpareBits =
    header.totalBlocks % 8n === 0n && "the bitmap's last byte has no bit to spare";
  return {
    "PC2-CHECKSUM-BLOCKS": noChecksums,
    "PC2-BIG-ENDIAN-TAIL": littleEndian ? "the image is little-endian" : noBits,
    "PC2-BITMAP-COMPLETE": mode === bitmapModes.none && "the image stores no bitmap",
    "PC2-BITMAP-CRC": noBits,
    "PC2-STRAY-BITS": noBits || (littleEndian && noSpareBits),
    "PC2-BYTE-MAP-VALUES": noBytes,
    "PC2-BITMAGIC": noBytes,
    "PC2-CHECKSUM": noChecksums || (isEmpty && NOTHING_STORED),
  };
}
