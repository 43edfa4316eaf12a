import type { Partition, Place } from "../partition.ts";

/** A piece of the logical address space, and where its copies begin on the device. */
export interface Chunk {
  readonly logical: bigint;
  readonly stripes: readonly bigint[];
  readonly holds: (address: bigint) => boolean;
}

/** The superblock's own copy of the chunks that the chunk tree is in. */
const SYSTEM_ARRAY = { sizeAt: 160, at: 811, most: 2048 } as const;
/** A key: objectid, type, offset; a chunk's offset is its logical address. */
const KEY = { bytes: 17, typeAt: 8, offsetAt: 9 } as const;
const CHUNK_ITEM = 228;
const CHUNK = { stripesAt: 44, bytes: 48, stripeBytes: 32, stripeOffsetAt: 8 } as const;
/** A node: its header, then leaf items (key, offset, size) or pointers (key, address, generation). */
const NODE = { bytes: 101, itemsAt: 96, levelAt: 100, itemBytes: 25, pointerBytes: 33 } as const;
/** BTRFS_MAX_LEVEL. */
const MOST_LEVELS = 8;

/** The chunk whose item is at `at`; `null` where the bytes end before it. */
function chunkAt(
  view: DataView,
  logical: bigint,
  at: number,
): { chunk: Chunk; end: number } | null {
  if (at + CHUNK.bytes > view.byteLength) return null;
  const length = view.getBigUint64(at, true);
  const stripes = view.getUint16(at + CHUNK.stripesAt, true);
  const end = at + CHUNK.bytes + stripes * CHUNK.stripeBytes;
  if (end > view.byteLength) return null;
  const offsets = Array.from({ length: stripes }, (_, index) =>
    view.getBigUint64(at + CHUNK.bytes + index * CHUNK.stripeBytes + CHUNK.stripeOffsetAt, true),
  );
  const holds = (address: bigint) => address >= logical && address < logical + length;
  return { chunk: { logical, stripes: offsets, holds }, end };
}

export function systemChunks(superblock: Uint8Array): Chunk[] {
  const view = new DataView(superblock.buffer, superblock.byteOffset, superblock.byteLength);
  const size = Math.min(view.getUint32(SYSTEM_ARRAY.sizeAt, true), SYSTEM_ARRAY.most);
  const chunks: Chunk[] = [];
  let at: number = SYSTEM_ARRAY.at;
  while (at + KEY.bytes < SYSTEM_ARRAY.at + size) {
    const found = chunkAt(view, view.getBigUint64(at + KEY.offsetAt, true), at + KEY.bytes);
    if (!found) break;
    chunks.push(found.chunk);
    at = found.end;
  }
  return chunks;
}

/**
 * The chunk that holds `address`, by the chunk tree, whose root is at `roots`; `null` if the tree
 * does not lead to one. All of the tree is in the superblock's chunks.
 */
export async function findChunk(
  partition: Partition,
  superblock: Uint8Array,
  roots: readonly Place[],
  address: bigint,
): Promise<Chunk | null> {
  const system = systemChunks(superblock);
  let places = roots;
  for (let level = 0; level < MOST_LEVELS; level++) {
    const place = places.find((each) => partition.holds(each)) ?? places[0];
    if (!place) return null;
    const bytes = await partition.readStored(place);
    const view = new DataView(bytes.buffer);
    if (view.getUint8(NODE.levelAt) === 0) return chunkInLeaf(view, address);
    const node = childFor(view, address);
    const home = node === null ? null : system.find(({ holds }) => holds(node));
    if (node === null || !home) return null;
    places = placesOf(home, node, place);
  }
  return null;
}

/** Where the copies of a node at a logical address are on the device. */
export function placesOf(
  chunk: Chunk,
  logical: bigint,
  { name, length }: Pick<Place, "name" | "length">,
): Place[] {
  return chunk.stripes.map((stripe) => ({
    name,
    deviceOffset: Number(stripe + logical - chunk.logical),
    length,
  }));
}

const itemsIn = (view: DataView, itemBytes: number) =>
  Math.min(
    view.getUint32(NODE.itemsAt, true),
    Math.floor((view.byteLength - NODE.bytes) / itemBytes),
  );

function chunkInLeaf(view: DataView, address: bigint): Chunk | null {
  for (let item = 0; item < itemsIn(view, NODE.itemBytes); item++) {
    const at = NODE.bytes + item * NODE.itemBytes;
    if (view.getUint8(at + KEY.typeAt) !== CHUNK_ITEM) continue;
    const logical = view.getBigUint64(at + KEY.offsetAt, true);
    const found = chunkAt(view, logical, NODE.bytes + view.getUint32(at + KEY.bytes, true));
    if (found?.chunk.holds(address)) return found.chunk;
  }
  return null;
}

/** The last child that may hold it: other items come before the chunks', which ascend. */
function childFor(view: DataView, address: bigint): bigint | null {
  let child: bigint | null = null;
  for (let pointer = 0; pointer < itemsIn(view, NODE.pointerBytes); pointer++) {
    const at = NODE.bytes + pointer * NODE.pointerBytes;
    const isChunk = view.getUint8(at + KEY.typeAt) === CHUNK_ITEM;
    if (isChunk && view.getBigUint64(at + KEY.offsetAt, true) > address) break;
    child = view.getBigUint64(at + KEY.bytes, true);
  }
  return child;
}
