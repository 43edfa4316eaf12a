import { decode, type Layout } from "../../bytes/struct.ts";
import type { Partition, Place } from "../partition.ts";
import { type Chunk, findChunk, placesOf, systemChunks } from "./btrfs-chunks.ts";
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

/** Where every copy of a tree's root is on the device. */
function copiesOf(name: string, logical: bigint, chunk: Chunk | null, length: number): Place[] {
  // No image can have what lies nowhere.
  if (!chunk || chunk.stripes.length === 0)
    return [{ name: `${name}, which no chunk maps,`, deviceOffset: Infinity, length }];
  const places = placesOf(chunk, logical, { name, length });
  if (places.length < 2) return places;
  return places.map((place, index) => ({ ...place, name: `copy ${index + 1} of ${name}` }));
}

function chunkRoots(superblock: Uint8Array): Place[] {
  const { chunkRoot, nodeSize } = fieldsOf(superblock);
  const chunk = systemChunks(superblock).find(({ holds }) => holds(chunkRoot)) ?? null;
  return copiesOf("the chunk tree's root", chunkRoot, chunk, nodeSize);
}

async function rootTreeRoots(superblock: Uint8Array, partition: Partition): Promise<Place[]> {
  const { root, nodeSize } = fieldsOf(superblock);
  const chunk = await findChunk(partition, superblock, chunkRoots(superblock), root);
  return copiesOf("the root tree's root", root, chunk, nodeSize);
}

/** One copy is enough: the one that is stored, or else the first. */
function bestOf(copies: readonly Place[], partition: Partition): readonly Place[] {
  const stored = copies.find((copy) => partition.holds(copy));
  return stored ? [stored] : copies.slice(0, 1);
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
    {
      id: "FSS-BTRFS-CHUNK-ROOT",
      idle: onSeveral,
      places: (superblock, partition) => bestOf(chunkRoots(superblock), partition),
    },
    {
      id: "FSS-BTRFS-ROOT-TREE",
      idle: onSeveral,
      async *places(superblock, partition) {
        yield* bestOf(await rootTreeRoots(superblock, partition), partition);
      },
    },
    {
      id: "FSS-BTRFS-COPIES",
      idle: onSeveral,
      async *places(superblock, partition) {
        for (const copies of [chunkRoots(superblock), await rootTreeRoots(superblock, partition)]) {
          if (copies.some((copy) => partition.holds(copy))) yield* copies;
        }
      },
    },
  ],
};
