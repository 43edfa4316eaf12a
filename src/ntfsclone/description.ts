import { type Described, judge, refusing } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { type Clusters, walkCommands } from "./commands.ts";
import { ExtentBuilder, type Extents } from "./extents.ts";
import { readHeader } from "./header.ts";
import { headerRules } from "./header-rules.ts";
import type { Header } from "./layout.ts";
import { SECTOR, type StreamFacts, streamRules } from "./stream-rules.ts";

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
  const refusedHeader = refusing(findings);
  if (refusedHeader) return { header, findings, layout: null, refused: refusedHeader };
  await stream.skip(header.dataOffset - stream.position);

  const clusters: Clusters = {
    clusterSize: header.clusterSize,
    clusterCount: Number(header.clusterCount),
    deviceSize: Number(header.deviceSize),
    littleEndian: header.littleEndian,
  };
  const { extents, facts } = await follow(stream, clusters, header);
  findings.push(...judge(streamRules, facts));
  if (facts.end.broken) findings.unshift(facts.end.broken);
  const refused = refusing(findings);
  if (refused) return { header, findings, layout: null, refused };
  return { header, layout: { clusters, extents, facts }, findings };
}

async function follow(stream: ByteStream, clusters: Clusters, header: Header) {
  const { clusterSize, clusterCount } = clusters;
  const builder = new ExtentBuilder(clusterSize + 1);
  const counted = { stored: 0, gaps: 0, negativeGaps: 0 };
  let firstStored: number | null = null;
  let boot: Uint8Array | null = null;
  let backupBoot: Uint8Array | null = null;
  const end = await walkCommands(stream, clusters, {
    gap(count) {
      counted.gaps++;
      if (count < 0) counted.negativeGaps++;
    },
    wants: (position) => position === 0 || position === clusterCount,
    data(position, bytes) {
      if (position === 0) boot = bytes.slice(0, SECTOR);
      else backupBoot = bytes.slice();
    },
    cluster(position, _length, imageOffset) {
      builder.add(position, imageOffset);
      firstStored ??= position;
      if (position !== clusterCount) counted.stored++;
    },
  });
  const extents = builder.finish();
  const distinct = extents.counts.reduce((sum, count) => sum + count, 0) - (backupBoot ? 1 : 0);
  const { inUse, majorVersion, minorVersion } = header;
  const promisesBackup = majorVersion === 10 && minorVersion >= 1;
  const fileSize = stream.size;
  const facts = { ...counted, distinct, firstStored, boot, backupBoot, promisesBackup, end, inUse, fileSize };
  return { extents, facts };
}
