import { isExact } from "../bytes/integers.ts";
import type { Rule } from "../image/rules.ts";
import {
  DATA_OFFSET_AT,
  HEADER_BYTES,
  type Header,
  headerLayout,
  MAJOR_VERSION,
} from "./layout.ts";

const CLUSTER_SIZES = { min: 256, max: 2 ** 21 } as const;

/** NTFS clusters are powers of two from 256 bytes to 2 MiB (NTC-CLUSTER-SIZE). */
export function isClusterSize(size: number): boolean {
  return (
    size >= CLUSTER_SIZES.min && size <= CLUSTER_SIZES.max && Number.isInteger(Math.log2(size))
  );
}

/** Judged before anything is read past the header. */
export const headerRules: readonly Rule<Header>[] = [
  {
    id: "NTC-MAJOR",
    reading: "refused",
    at: headerLayout.majorVersion.at,
    broken: ({ majorVersion, minorVersion }) =>
      majorVersion <= MAJOR_VERSION
        ? null
        : `an ntfsclone image of version ${majorVersion}.${minorVersion}; versions up to ${MAJOR_VERSION} can be read`,
  },
  {
    id: "NTC-CLUSTER-SIZE",
    reading: "refused",
    at: headerLayout.clusterSize.at,
    broken: ({ clusterSize }) =>
      isClusterSize(clusterSize)
        ? null
        : `the cluster size is ${clusterSize}, not a power of two from ${CLUSTER_SIZES.min} to ${CLUSTER_SIZES.max}`,
  },
  {
    id: "NTC-CLUSTERS",
    reading: "refused",
    at: headerLayout.clusterCount.at,
    broken: ({ clusterCount }) =>
      clusterCount > 0n ? null : `the number of clusters is ${clusterCount}`,
  },
  {
    id: "NTC-RANGE",
    reading: "refused",
    at: headerLayout.deviceSize.at,
    broken: ({ deviceSize, clusterCount, clusterSize }) =>
      isExact(deviceSize) && clusterCount * BigInt(clusterSize) <= Number.MAX_SAFE_INTEGER
        ? null
        : `device size ${deviceSize} or ${clusterCount} clusters of ${clusterSize} bytes exceed 2^53 bytes, which no partition reaches`,
  },
  {
    id: "NTC-DEVICE-SIZE",
    reading: "warned",
    at: headerLayout.deviceSize.at,
    broken: ({ deviceSize, clusterCount, clusterSize }) =>
      clusterCount * BigInt(clusterSize) <= deviceSize
        ? null
        : `${clusterCount} clusters of ${clusterSize} bytes are more than the device's ${deviceSize} bytes; the last ones are taken as cut`,
  },
  {
    id: "NTC-DATA-OFFSET",
    reading: "refused",
    at: DATA_OFFSET_AT,
    broken: ({ majorVersion, dataOffset }) =>
      majorVersion < MAJOR_VERSION || dataOffset >= HEADER_BYTES
        ? null
        : `the data is said to start at byte ${dataOffset}, within the header of ${HEADER_BYTES}`,
  },
];
