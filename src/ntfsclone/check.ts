import type { Checked, CheckVisitor, Dump } from "../image/check.ts";
import type { ByteStream } from "../source/source.ts";
import { type Description, follow, readFront } from "./description.ts";
import { details } from "./details.ts";

/** Follows the whole command stream: what the data holds is not in the header. */
export async function dump(stream: ByteStream): Promise<Dump> {
  return (await check(stream)).dump;
}

/** Follows the whole command stream, which is all there is to check: it has no checksums. */
export async function check(stream: ByteStream, visitor: CheckVisitor = {}): Promise<Checked> {
  const front = await readFront(stream);
  const { inUse, clusterSize } = front.header;
  if (front.layout) visitor.begin?.(stream.size ?? Number(inUse) * (clusterSize + 1));
  const description = await follow(stream, front, () => visitor.advance?.(stream.position));
  const dump = dumpOf(description);
  visitor.described?.(dump);
  for (const finding of dump.findings) visitor.finding?.(finding);
  const strips = { good: 0, bad: 0, unknown: 0 };
  return {
    dump,
    findings: dump.findings,
    strips,
    proof: description.layout ? "the commands, as the format has no checksums" : "nothing",
  };
}

function dumpOf(description: Description): Dump {
  const { findings } = description;
  const refused = description.layout ? null : description.refused;
  return { title: "Ntfsclone Header", details: details(description), findings, refused };
}
