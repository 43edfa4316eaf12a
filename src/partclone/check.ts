import { type Finding, judge } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { checksumOf } from "./checksums.ts";
import { type Description, describe, type Geometry } from "./description.ts";
import { v1EndRules, v2EndRules } from "./map-rules.ts";
import { type Strip, walkStrips } from "./strips.ts";

export interface CheckVisitor {
  /** The image can be laid out; its data comes next. */
  begin?(geometry: Geometry): void;
  strip?(strip: Strip): void;
}

export interface Checked {
  readonly description: Description;
  /** Everything that is wrong, in the file's order. */
  readonly findings: readonly Finding[];
}

/** Reads the whole image, from the header to the end of the stream, and proves every checksum. */
export async function check(stream: ByteStream, visitor: CheckVisitor = {}): Promise<Checked> {
  const description = await describe(stream);
  const { header, layout } = description;
  const findings = [...description.findings];
  if (!layout) return { description, findings };
  const { geometry } = layout;
  visitor.begin?.(geometry);
  const rule = `PC${header.generation}-CHECKSUM`;
  const checksum = await checksumOf(header, geometry.checksum);
  const end = await walkStrips(stream, geometry, checksum, {
    strip(strip) {
      visitor.strip?.(strip);
      if (strip.verdict === "bad") findings.push(badStrip(rule, strip));
    },
  });
  // The size of a pipe is known only now.
  if (stream.size === null) {
    const fileSize = geometry.dataEnd - end.missing + end.trailing;
    findings.push(
      ...judge(header.generation === 1 ? v1EndRules : v2EndRules, { ...geometry, fileSize }),
    );
  }
  return { description, findings };
}

function badStrip(rule: string, { number, imageOffset, checksumOffset, blocks }: Strip): Finding {
  return {
    rule,
    message: `strip ${number}: the checksum of its ${blocks} blocks differs (bytes ${imageOffset} to ${checksumOffset - 1})`,
    imageOffset,
    reading: "unaffected",
  };
}
