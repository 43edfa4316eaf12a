import { append, type Break, copyOf, cutTo, flip, last, rebuild } from "./break.ts";
import type { Fixture, NtfscloneParams } from "./fixture.ts";
import { encodeGap, GAP_SIZE, NEXT, NTFSCLONE_HEADER } from "./ntfsclone.ts";
import { concatenate } from "./strips.ts";
import { put, type Values } from "./struct.ts";

function withHeader(fixture: Fixture, values: Values<typeof NTFSCLONE_HEADER>): Uint8Array {
  const image = copyOf(fixture);
  put(image, NTFSCLONE_HEADER, values, "little");
  return image;
}

function field(base: Break["base"], values: Values<typeof NTFSCLONE_HEADER>): Break {
  return { base, apply: (fixture) => withHeader(fixture, values) };
}

function changed(base: Break["base"], changes: Partial<NtfscloneParams>): Break {
  return { base, apply: (fixture) => rebuild<NtfscloneParams>(fixture, changes) };
}

/** The image with bytes put in front of the command that stores its last cluster. */
function beforeLastCommand(fixture: Fixture, bytes: Uint8Array): Uint8Array {
  const at = last(fixture.stored).imageOffset - 1;
  return concatenate([fixture.image.subarray(0, at), bytes, fixture.image.subarray(at)]);
}

const headerBreaks: Readonly<Record<string, Break>> = {
  "NTC-MAGIC": field("ntfs-10.1", { magic: "\0ntfsclone-imagf" }),
  "NTC-MAJOR": field("ntfs-10.1", { major: 11 }),
  "NTC-HEADER-COMPLETE": {
    base: "ntfs-10.1",
    apply: (fixture) => cutTo(fixture, 40),
  },
  "NTC-CLUSTER-SIZE": changed("ntfs-10.1", { clusterSize: 768 }),
  // Only the boot sector, which stands for its own backup.
  "NTC-CLUSTERS": changed("ntfs-10.1", { clusters: 0, visits: [{ position: 0, count: 1 }] }),
  "NTC-DEVICE-SIZE": {
    // The last cluster is not stored, so that no stored cluster becomes shorter.
    base: "ntfs-10.0",
    apply: (fixture) => withHeader(fixture, { deviceSize: fixture.deviceSize - fixture.blockSize }),
  },
  "NTC-RANGE": field("ntfs-10.0", { deviceSize: 2n ** 53n }),
  "NTC-DATA-OFFSET": field("ntfs-shortest-header", { dataOffset: 49 }),
  "NTC-IN-USE": changed("ntfs-10.1", { inUseError: 1 }),
};

const commandBreaks: Readonly<Record<string, Break>> = {
  "NTC-COMMAND": {
    base: "ntfs-10.1",
    apply: (fixture) => {
      const image = copyOf(fixture);
      image[last(fixture.stored).imageOffset - 1] = NEXT + 1;
      return image;
    },
  },
  "NTC-GAP-NOT-ZERO": {
    base: "ntfs-10.1",
    apply: (fixture) => beforeLastCommand(fixture, encodeGap(0, "little")),
  },
  "NTC-POSITION": {
    // The gap that ends the image goes one further than the position after the last cluster.
    base: "ntfs-10.0",
    apply: (fixture) => {
      const params = fixture.params as NtfscloneParams;
      const { position, count } = last(params.visits);
      const gap = encodeGap(params.clusters + 1 - position - count, "little");
      return concatenate([fixture.image.subarray(0, fixture.image.length - GAP_SIZE), gap]);
    },
  },
  "NTC-DATA-COMPLETE": {
    // In the backup boot sector, which is the last thing stored.
    base: "ntfs-10.1",
    apply: (fixture) => cutTo(fixture, fixture.image.length - 100),
  },
  "NTC-DATA-END": {
    base: "ntfs-10.1",
    apply: (fixture) => append(fixture, 7, 7, 7),
  },
  "NTC-BOOT-SECTOR": changed("ntfs-10.0", { visits: [{ position: 20, count: 11 }] }),
  "NTC-BACKUP-BOOT": {
    base: "ntfs-10.1",
    apply: (fixture) => flip(fixture, last(fixture.stored).imageOffset),
  },
  "NTC-ORDER": changed("ntfs-10.0", {
    visits: [
      { position: 0, count: 5 },
      { position: 20, count: 11 },
      { position: 10, count: 3 },
    ],
  }),
};

export const ntfscloneBreaks: Readonly<Record<string, Break>> = {
  ...headerBreaks,
  ...commandBreaks,
};
