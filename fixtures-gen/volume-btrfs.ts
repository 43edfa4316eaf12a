import { put } from "./struct.ts";
import type { Piece } from "./volumes.ts";

/** spec/file-systems.md, "Btrfs". */
const SUPERBLOCK = {
  magic: [64, 8],
  root: [80, 8],
  chunkRoot: [88, 8],
  devices: [136, 8],
  nodeSize: [148, 4],
  systemSize: [160, 4],
  device: [201, 8],
  deviceSize: [209, 8],
} as const;
const SYSTEM_CHUNKS_AT = 811;
const KEY = { object: [0, 8], type: [8, 1], logical: [9, 8] } as const;
const CHUNK = { length: [0, 8], stripes: [44, 2] } as const;
const CHUNK_SIZE = 48;
const STRIPE = { device: [0, 8], offset: [8, 8] } as const;
const STRIPE_SIZE = 32;
const KEY_SIZE = 17;
const NODE = { items: [96, 4], level: [100, 1] } as const;
const ITEMS_AT = 101;
const ITEM_PLACE = { at: [17, 4], size: [21, 4] } as const;
const CHUNK_ITEM = 228;

const BLOCK = 4096;
/** Two chunks of two blocks, each kept twice: the chunk tree's, and the root tree's. */
const SYSTEM = { logical: 0x100000, blocks: [20, 22] } as const;
const METADATA = { logical: 0x200000, blocks: [24, 26] } as const;
/** The roots' blocks, copy by copy: the chunk tree's is its chunk's first, the other's the second. */
export const CHUNK_ROOTS: readonly number[] = SYSTEM.blocks;
export const TREE_ROOTS: readonly number[] = METADATA.blocks.map((block) => block + 1);

function keyOf(logical: number): Uint8Array {
  const key = new Uint8Array(KEY_SIZE);
  put(key, KEY, { object: 256, type: CHUNK_ITEM, logical }, "little");
  return key;
}

function chunkOf(blocks: readonly number[]): Uint8Array {
  const chunk = new Uint8Array(CHUNK_SIZE + blocks.length * STRIPE_SIZE);
  put(chunk, CHUNK, { length: 2 * BLOCK, stripes: blocks.length }, "little");
  for (const [index, block] of blocks.entries()) {
    const at = CHUNK_SIZE + index * STRIPE_SIZE;
    put(chunk.subarray(at), STRIPE, { device: 1, offset: block * BLOCK }, "little");
  }
  return chunk;
}

/** The chunk tree: one leaf, which maps the root tree's chunk. */
function chunkLeaf(): Uint8Array {
  const leaf = new Uint8Array(BLOCK);
  const chunk = chunkOf(METADATA.blocks);
  put(leaf, NODE, { items: 1, level: 0 }, "little");
  leaf.set(keyOf(METADATA.logical), ITEMS_AT);
  const place = { at: 200, size: chunk.length };
  put(leaf.subarray(ITEMS_AT), ITEM_PLACE, place, "little");
  leaf.set(chunk, ITEMS_AT + place.at);
  return leaf;
}

export function btrfsPieces(deviceBlocks: number): readonly Piece[] {
  const superblock = new Uint8Array(BLOCK);
  const system = [keyOf(SYSTEM.logical), chunkOf(SYSTEM.blocks)];
  const values = {
    magic: "_BHRfS_M",
    root: METADATA.logical + BLOCK,
    chunkRoot: SYSTEM.logical,
    devices: 1,
    nodeSize: BLOCK,
    systemSize: system.reduce((sum, { length }) => sum + length, 0),
    device: 1,
    deviceSize: deviceBlocks * BLOCK,
  };
  put(superblock, SUPERBLOCK, values, "little");
  superblock.set(Buffer.concat(system), SYSTEM_CHUNKS_AT);
  const leaves = CHUNK_ROOTS.map((block) => ({ at: block * BLOCK, bytes: chunkLeaf() }));
  return [{ at: 16 * BLOCK, bytes: superblock }, ...leaves];
}
