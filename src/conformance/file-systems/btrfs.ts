import { decode, type Layout } from "../../bytes/struct.ts";
import type { Partition, Place } from "../partition.ts";
import { type Chunk, findChunk, systemChunks } from "./btrfs-chunks.ts";
import { type FileSystem, isPowerOfTwo } from "./file-system.ts";

const layout = {
  magic: { at: 64, type: "text", size: 8 },
  root: { at: 80, type: "u64" },
  chunkRoot: { at: 88, type: "u64" },
  devices: { at: 136, type: "u64" },
  nodeSize: { at: 148, type: "u32" },
  deviceId: { at: 201, type: "u64" },
  deviceBytes: { at: 209, type: "u64" },
} as const satisfies Layout;

const SUPERBLOCK = { name: "the superblock", deviceOffset: 64 * 1024, length: 4096 };

const fieldsOf = (superblock: Uint8Array) => decode(layout, superblock, true);

function flaw(superblock: Uint8Array): string | null {
  const { magic, nodeSize } = fieldsOf(superblock);
  if (magic !== "_BHRfS_M") return "its magic is not _BHRfS_M";
  return isPowerOfTwo(nodeSize, 4096, 65536) ? null : `its nodes would have ${nodeSize} bytes`;
}

/** Where every copy of the node at a logical address is on the device. */
function* copies(name: string, logical: bigint, chunk: Chunk, length: number): Iterable<Place> {
  for (const [index, stripe] of chunk.stripes.entries()) {
    const deviceOffset = Number(stripe + logical - chunk.logical);
    const copy = chunk.stripes.length > 1 ? `, copy ${index + 1}` : "";
    yield { name: `${name}${copy}`, deviceOffset, length };
  }
}

/** The chunk that maps an address is missing: a place that no image can have. */
const unmapped = (name: string) => ({
  name: `${name}, which no chunk maps,`,
  deviceOffset: Infinity,
  length: 1,
});

function* chunkRootPlaces(superblock: Uint8Array): Iterable<Place> {
  const { chunkRoot, nodeSize } = fieldsOf(superblock);
  const chunk = systemChunks(superblock).find(({ holds }) => holds(chunkRoot));
  if (chunk) yield* copies("the chunk tree's root", chunkRoot, chunk, nodeSize);
  else yield unmapped("the chunk tree's root");
}

async function* rootTreePlaces(superblock: Uint8Array, partition: Partition) {
  const { root, chunkRoot, nodeSize } = fieldsOf(superblock);
  const chunk = await findChunk(partition, superblock, chunkRoot, root, nodeSize);
  if (chunk) yield* copies("the root tree's root", root, chunk, nodeSize);
  else yield unmapped("the root tree's root");
}

const onSeveral = (superblock: Uint8Array) => {
  const { devices } = fieldsOf(superblock);
  return devices > 1n ? `the file system spans ${devices} devices` : null;
};

export const btrfs: FileSystem = {
  names: ["BTRFS"],
  superblock: SUPERBLOCK,
  flaw,
  size: (superblock) => Number(fieldsOf(superblock).deviceBytes),
  rules: [
    { id: "FSS-BTRFS-CHUNK-ROOT", idle: onSeveral, places: chunkRootPlaces },
    { id: "FSS-BTRFS-ROOT-TREE", idle: onSeveral, places: rootTreePlaces },
  ],
};
