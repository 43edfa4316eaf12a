import { fullSize, grouped, humanSize } from "../bytes/sizes.ts";
import type { Detail } from "../image/backup-image.ts";
import type { Description } from "./description.ts";

/** The dump's lines: the header, then what the commands hold. */
export function details({ header, layout }: Pick<Description, "header" | "layout">): Detail[] {
  const { clusterSize, inUse } = header;
  const lines: Detail[] = [
    { name: "major_ver", value: header.majorVersion },
    { name: "minor_ver", value: header.minorVersion },
    { name: "cluster_size", value: clusterSize },
    { name: "device_size", value: header.deviceSize, text: fullSize(Number(header.deviceSize)) },
    { name: "nr_clusters", value: header.clusterCount, text: grouped(header.clusterCount) },
    {
      name: "inuse",
      value: inUse,
      text: `${grouped(inUse)} (${humanSize(Number(inUse) * clusterSize)})     by the header`,
    },
    { name: "offset_to_image_data", value: header.dataOffset },
  ];
  const order = { name: "byte order", value: header.littleEndian ? "little-endian" : "big-endian" };
  if (!layout) return [...lines, order];
  const { stored, gaps, negativeGaps, backupBoot, firstStored } = layout.facts;
  const isMetadata = negativeGaps > 0 || (firstStored ?? 0) !== 0;
  return [
    ...lines,
    {
      name: "stored clusters",
      value: stored,
      text: `${grouped(stored)} (${humanSize(stored * clusterSize)})`,
    },
    {
      name: "gaps",
      value: gaps,
      text: negativeGaps
        ? `${grouped(gaps)}, ${grouped(negativeGaps)} of them back`
        : grouped(gaps),
    },
    {
      name: "metadata image",
      value: isMetadata,
      text: isMetadata ? "yes: the contents of files are not in it" : "no",
    },
    { name: "backup boot sector", value: backupBoot !== null, text: backupBoot ? "yes" : "no" },
    order,
  ];
}
