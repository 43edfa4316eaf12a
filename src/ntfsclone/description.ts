import { type Described, judge, refusing } from "../image/rules.ts";
import type { ByteStream } from "../source/source.ts";
import { type Clusters, clusterLength, walkCommands } from "./commands.ts";
import { ExtentBuilder, type Extents } from "./extents.ts";
import { readHeader } from "./header.ts";
import { headerRules } from "./header-rules.ts";
import { type Header, MAJOR_VERSION } from "./layout.ts";
import { SECTOR, type StreamFacts, streamRules } from "./stream-rules.ts";

/** What the whole command stream says. */
export interface Layout {
  readonly clusters: Clusters;
  readonly extents: Extents;
  readonly facts: StreamFacts;
}

export type Description = Described<Header, Layout>;

/** The header, and what it says of the commands; nothing of them is read. */
export type Front = Described<Header, Clusters>;

/** Reads the header; the stream is left at the first command. */
export async function readFront(stream: ByteStream): Promise<Front> {
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
  return { header, findings, layout: clusters };
}

/** Takes each cluster in the image's order; the bytes are valid until the next call. */
export type OnCluster = (position: number, bytes: Uint8Array) => void | Promise<void>;

/** What following the commands to their end has shown. */
export interface Walked {
  readonly extents: Extents;
  readonly counts: Omit<StreamFacts, "promisesBackup" | "inUse" | "fileSize">;
}

/** What earlier walks through the same image have shown. */
export interface KnownWalks {
  load(clusters: Clusters): Walked | null;
  save(clusters: Clusters, walked: Walked): void;
}

/** Follows the commands behind `front` to the end of the stream. */
export async function follow(
  stream: ByteStream,
  front: Front,
  onCluster?: OnCluster,
): Promise<Description> {
  if (!front.layout) return front;
  return conclude(stream, front, await walk(stream, front.layout, onCluster));
}

/** Reads the header and follows the commands to the end of the stream, unless that is known. */
export async function describe(stream: ByteStream, known?: KnownWalks): Promise<Description> {
  const front = await readFront(stream);
  if (!front.layout) return front;
  const before = known?.load(front.layout);
  if (before) return conclude(stream, front, before);
  const walked = await walk(stream, front.layout);
  known?.save(front.layout, walked);
  return conclude(stream, front, walked);
}

function conclude(stream: ByteStream, front: Front, { extents, counts }: Walked): Description {
  if (!front.layout) return front;
  const { header, layout: clusters } = front;
  const promisesBackup = header.majorVersion === MAJOR_VERSION && header.minorVersion >= 1;
  const facts = { ...counts, promisesBackup, inUse: header.inUse, fileSize: stream.size };
  const broken = facts.end.broken ? [facts.end.broken] : [];
  const findings = [...broken, ...front.findings, ...judge(streamRules, facts)];
  const refused = refusing(findings);
  if (refused) return { header, findings, layout: null, refused };
  return { header, layout: { clusters, extents, facts }, findings };
}

async function walk(
  stream: ByteStream,
  clusters: Clusters,
  onCluster?: OnCluster,
): Promise<Walked> {
  const { clusterSize, clusterCount } = clusters;
  const builder = new ExtentBuilder(clusterSize + 1);
  const counted = { stored: 0, gaps: 0, negativeGaps: 0 };
  /** Stored clusters past the device's end. */
  let beyond = 0;
  let firstStored: number | null = null;
  let boot: Uint8Array | null = null;
  let backupBoot: Uint8Array | null = null;
  const end = await walkCommands(stream, clusters, {
    gap(count) {
      counted.gaps++;
      if (count < 0) counted.negativeGaps++;
    },
    wants: (position) => onCluster !== undefined || position === 0 || position === clusterCount,
    data(position, bytes) {
      if (position === 0) boot = bytes.slice(0, SECTOR);
      else if (position === clusterCount) backupBoot = bytes.slice();
      return onCluster?.(position, bytes);
    },
    cluster(position, length, imageOffset) {
      // One past the device's end has no bytes: a command a byte long must not cost an extent.
      if (length > 0) builder.add(position, imageOffset);
      else if (position !== clusterCount) beyond++;
      firstStored ??= position;
      if (position !== clusterCount) counted.stored++;
    },
  });
  const extents = builder.finish();
  const inExtents = extents.counts.reduce((sum, count) => sum + count, 0);
  const isBackupInExtents = backupBoot !== null && clusterLength(clusters, clusterCount) > 0;
  const distinct = inExtents + beyond - (isBackupInExtents ? 1 : 0);
  return { extents, counts: { ...counted, distinct, firstStored, end, boot, backupBoot } };
}
