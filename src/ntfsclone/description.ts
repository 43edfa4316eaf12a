import { type Described, judge, refusing } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { type Clusters, walkCommands } from "./commands.ts";
import { ExtentBuilder, type Extents } from "./extents.ts";
import { readHeader } from "./header.ts";
import { headerRules } from "./header-rules.ts";
import type { Header } from "./layout.ts";
import { type StreamFacts, streamRules } from "./stream-rules.ts";

/** What the whole command stream says. */
export interface Layout {
  readonly clusters: Clusters;
  readonly extents: Extents;
  readonly facts: StreamFacts;
}

export type Description = Described<Header, Layout>;

/** Reads the header and follows the commands to the end of the stream. */
export async function describe(stream: ByteStream): Promise<Description> {
  const header = await readHeader(stream);
  const findings = judge(headerRules, header);
  const refused = refusing(findings);
  if (refused) return { header, findings, layout: null, refused };
  await stream.skip(header.dataOffset - stream.position);

  const clusters: Clusters = {
    clusterSize: header.clusterSize,
    clusterCount: Number(header.clusterCount),
    deviceSize: Number(header.deviceSize),
    littleEndian: header.littleEndian,
  };
  const { extents, facts } = await follow(stream, clusters, header);
  findings.push(...judge(streamRules, facts));
  if (facts.end.broken) findings.push(facts.end.broken);
  return { header, layout: { clusters, extents, facts }, findings };
}

async function follow(stream: ByteStream, clusters: Clusters, header: Header) {
  const builder = new ExtentBuilder(clusters.clusterSize + 1);
  const counted = { stored: 0, gaps: 0, negativeGaps: 0, hasBoot: false, hasBackupBoot: false };
  const end = await walkCommands(stream, clusters, {
    gap(count) {
      counted.gaps++;
      if (count < 0) counted.negativeGaps++;
    },
    cluster(position, _length, imageOffset) {
      builder.add(position, imageOffset);
      if (position === clusters.clusterCount) counted.hasBackupBoot = true;
      else counted.stored++;
      if (position === 0) counted.hasBoot = true;
    },
  });
  const extents = builder.finish();
  const { inUse, minorVersion } = header;
  const facts = { ...counted, end, inUse, minorVersion, fileSize: stream.size };
  return { extents, facts };
}
