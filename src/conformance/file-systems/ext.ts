import { decode, type Layout } from "../../bytes/struct.ts";
import type { Partition, Place } from "../partition.ts";
import type { FileSystem } from "./file-system.ts";

const layout = {
  blocks: { at: 4, type: "u32" },
  firstDataBlock: { at: 20, type: "u32" },
  logBlockSize: { at: 24, type: "u32" },
  blocksPerGroup: { at: 32, type: "u32" },
  magic: { at: 56, type: "u16" },
  revision: { at: 76, type: "u32" },
  inodeSize: { at: 88, type: "u16" },
  compatible: { at: 92, type: "u32" },
  incompatible: { at: 96, type: "u32" },
  readOnlyCompatible: { at: 100, type: "u32" },
  descriptorSize: { at: 254, type: "u16" },
  firstMetaGroup: { at: 260, type: "u32" },
  backupGroup1: { at: 588, type: "u32" },
  backupGroup2: { at: 592, type: "u32" },
  blocksHigh: { at: 336, type: "u32" },
} as const satisfies Layout;

const SUPERBLOCK = { name: "the superblock", deviceOffset: 1024, length: 1024 };
const MAGIC = 0xef53;
const META_BG = 0x10;
const IS_64BIT = 0x80;
const SPARSE_SUPER = 0x1;
const SPARSE_SUPER2 = 0x200;
/** mke2fs accepts no fewer. */
const FEWEST_BLOCKS_PER_GROUP = 256;
/** The smallest block, which a descriptor has to fit in. */
const MOST_DESCRIPTOR_BYTES = 1024;
/** Where a descriptor has its inode table's block. */
const INODE_TABLE_AT = 8;
const INODE_TABLE_HIGH_AT = 40;
/** As much of a descriptor as is looked at. */
const DESCRIPTOR_BYTES = 64;
const OLD_INODE_SIZE = 128;

const fieldsOf = (superblock: Uint8Array) => decode(layout, superblock, true);
type Fields = ReturnType<typeof fieldsOf>;

const blockSizeOf = ({ logBlockSize }: Fields) => 1024 * 2 ** logBlockSize;
const is64Bit = ({ incompatible }: Fields) => (incompatible & IS_64BIT) !== 0;
const descriptorSizeOf = (fields: Fields) => (is64Bit(fields) ? fields.descriptorSize : 32);
const blocksOf = (fields: Fields) =>
  fields.blocks + (is64Bit(fields) ? fields.blocksHigh * 2 ** 32 : 0);

function flaw(superblock: Uint8Array): string | null {
  const fields = fieldsOf(superblock);
  if (fields.magic !== MAGIC) return "its magic is not EF53";
  if (fields.logBlockSize > 6) return `its blocks would have 2^${fields.logBlockSize} KiB`;
  if (fields.blocksPerGroup < FEWEST_BLOCKS_PER_GROUP) {
    return `its groups would have ${fields.blocksPerGroup} blocks`;
  }
  const descriptorSize = descriptorSizeOf(fields);
  return descriptorSize >= 32 && descriptorSize <= MOST_DESCRIPTOR_BYTES
    ? null
    : `its group descriptors would have ${descriptorSize} bytes`;
}

/** Groups whose first block is a copy of the superblock. */
function hasSuperblock(fields: Fields, group: number): boolean {
  if (group === 0) return true;
  if ((fields.compatible & SPARSE_SUPER2) !== 0) {
    return group === fields.backupGroup1 || group === fields.backupGroup2;
  }
  if (group === 1 || (fields.readOnlyCompatible & SPARSE_SUPER) === 0) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

/** The first block of the descriptors' part that begins at group `group` (meta_bg). */
function metaGroupBlock(fields: Fields, group: number): number {
  const first = fields.firstDataBlock + group * fields.blocksPerGroup;
  const bootBlock = blockSizeOf(fields) === 1024 && group === 0 && fields.firstDataBlock === 0;
  return first + (hasSuperblock(fields, group) ? 1 : 0) + (bootBlock ? 1 : 0);
}

function* descriptorPlaces(superblock: Uint8Array): Iterable<Place> {
  const fields = fieldsOf(superblock);
  const blockSize = blockSizeOf(fields);
  const perBlock = Math.floor(blockSize / descriptorSizeOf(fields));
  const { firstDataBlock, blocksPerGroup } = fields;
  const groups = Math.ceil((blocksOf(fields) - firstDataBlock) / blocksPerGroup);
  const parts = Math.ceil(groups / perBlock);
  const isMeta = (fields.incompatible & META_BG) !== 0;
  const together = isMeta ? Math.min(parts, fields.firstMetaGroup) : parts;
  if (together > 0) {
    const deviceOffset = (Math.floor(1024 / blockSize) + 1) * blockSize;
    yield { name: "the group descriptors", deviceOffset, length: together * blockSize };
  }
  for (let part = together; part < parts; part++) {
    const group = part * perBlock;
    const deviceOffset = metaGroupBlock(fields, group) * blockSize;
    yield { name: `the descriptors from group ${group} on`, deviceOffset, length: blockSize };
  }
}

async function* rootInodePlaces(superblock: Uint8Array, partition: Partition) {
  const fields = fieldsOf(superblock);
  const blockSize = blockSizeOf(fields);
  const [first] = descriptorPlaces(superblock);
  if (!first) return;
  const descriptor = await partition.readStored({ ...first, length: DESCRIPTOR_BYTES });
  const view = new DataView(descriptor.buffer);
  const high = descriptorSizeOf(fields) >= 64 ? view.getUint32(INODE_TABLE_HIGH_AT, true) : 0;
  const table = view.getUint32(INODE_TABLE_AT, true) + high * 2 ** 32;
  const inodeSize = fields.revision === 0 ? OLD_INODE_SIZE : fields.inodeSize;
  // Inode numbers begin at 1; the root directory's is 2.
  const deviceOffset = table * blockSize + inodeSize;
  yield { name: "the root directory's inode", deviceOffset, length: inodeSize };
}

/** ext2, ext3 and ext4. */
export const ext: FileSystem = {
  names: ["EXTFS", "EXT2", "EXT3", "EXT4"],
  superblock: SUPERBLOCK,
  flaw,
  size: (superblock) => {
    const fields = fieldsOf(superblock);
    return blocksOf(fields) * blockSizeOf(fields);
  },
  rules: [
    { id: "FSS-EXT-DESCRIPTORS", places: descriptorPlaces },
    { id: "FSS-EXT-ROOT-INODE", places: rootInodePlaces },
  ],
};
