import { counted } from "../bytes/sizes.ts";
import { type Checked, type CheckVisitor, type Dump, MOST_KEPT } from "../image/check.ts";
import type { Finding } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { checksumOf } from "./checksums.ts";
import {
  type Description,
  describe,
  type Geometry,
  judgeSize,
  type Layout,
} from "./description.ts";
import { details } from "./details.ts";
import { parallelProof, proveParts } from "./proof.ts";
import { type Strip, type StripsEnd, stripOffset, walkStrips } from "./strips.ts";

/** Reads what comes before the data. */
export async function dump(stream: ByteStream, indexSize?: number): Promise<Dump> {
  return dumpOf(await describe(stream, indexSize));
}

function dumpOf(description: Description): Dump {
  const { findings } = description;
  const refused = description.layout ? null : description.refused;
  return { title: "Partclone Header", details: details(description), findings, refused };
}

/** Reads the whole image, from the header to the end of the stream, and proves every checksum. */
export async function check(stream: ByteStream, visitor: CheckVisitor = {}): Promise<Checked> {
  return checkDescribed(stream, await describe(stream, visitor.indexSize), visitor);
}

/** The same, of a stream whose description was just read from it. */
export async function checkDescribed(
  stream: ByteStream,
  description: Description,
  visitor: CheckVisitor,
): Promise<Checked> {
  const dump = dumpOf(description);
  visitor.described?.(dump);
  const findings: Finding[] = [];
  const found = (finding: Finding) => {
    if (findings.length < MOST_KEPT) findings.push(finding);
    visitor.finding?.(finding);
  };
  dump.findings.forEach(found);
  const strips = { good: 0, bad: 0, unknown: 0 };
  const { layout } = description;
  if (!layout) return { dump, findings, strips, proof: "nothing" };

  const { geometry } = layout;
  visitor.begin?.(geometry.dataEnd);
  const end = await proveStrips(stream, geometry, {
    good: (count) => {
      strips.good += count;
    },
    faulty(strip) {
      strips[strip.verdict]++;
      found(badStrip(strip, layout));
    },
    advance: (imageOffset) => visitor.advance?.(imageOffset),
  });
  // The size of a pipe is known only now.
  if (stream.size === null) {
    const fileSize = geometry.dataEnd - end.missing + end.trailing;
    judgeSize(geometry, fileSize).forEach(found);
  }
  return { dump, findings, strips, proof: proofOf(geometry) };
}

interface ProofVisitor {
  /** So many strips are right. */
  good(count: number): void;
  /** Told of them in the image's order. */
  faulty(strip: Strip): void;
  advance(imageOffset: number): void;
}

/** Proves all strips, by several threads where that is possible, and reads on to the end. */
async function proveStrips(
  stream: ByteStream,
  geometry: Geometry,
  visitor: ProofVisitor,
): Promise<StripsEnd> {
  const proof = parallelProof(stream, geometry);
  if (!proof) {
    const checksum = await checksumOf(geometry);
    return walkStrips(stream, geometry, checksum, {
      strip: (strip) => (strip.verdict === "good" ? visitor.good(1) : visitor.faulty(strip)),
      advance: () => visitor.advance(stream.position),
    });
  }
  await proveParts(proof, ({ part, good, bad }) => {
    visitor.good(good);
    bad.forEach(visitor.faulty);
    visitor.advance(stripOffset(geometry, (part + 1) * proof.stripsAtOnce));
  });
  await stream.skip(geometry.dataEnd - stream.position);
  return { missing: 0, trailing: await stream.skip(Infinity) };
}

function proofOf({ generation, checksum, blocksPerChecksum }: Geometry): string {
  if (checksum === "NONE") return "nothing, as the image has no checksums";
  // What format 0001 leaves unproved must not be taken for proved.
  if (generation === 1) return "a CRC32 of each block's first byte, all that format 0001 has";
  const blocks = blocksPerChecksum === 1 ? "block" : counted(blocksPerChecksum, "block");
  return `${checksum === "CRC32" ? "a" : "an"} ${checksum} for each ${blocks}`;
}

function badStrip(strip: Strip, { geometry, bitmap }: Layout): Finding {
  const { number, imageOffset, checksumOffset, firstRank, blocks, verdict } = strip;
  const block = (rank: number) => (bitmap ? bitmap.select(rank) : rank);
  const { blockSize, checksumSize } = geometry;
  const from = block(firstRank) * blockSize;
  const to = (block(firstRank + blocks - 1) + 1) * blockSize - 1;
  const what =
    verdict === "bad"
      ? "is bad: its checksum differs"
      : "cannot be judged: its checksum runs on from a bad strip";
  return {
    rule: `PC${geometry.generation}-CHECKSUM`,
    message: `strip ${number} ${what}; bytes ${imageOffset} to ${checksumOffset + checksumSize - 1} of the image, ${counted(blocks, "block")} between bytes ${from} and ${to} of the partition`,
    imageOffset,
    reading: "unaffected",
  };
}
