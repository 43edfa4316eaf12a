import { decode, type Layout } from "../../bytes/struct.ts";
import type { Place } from "../partition.ts";
import { type FileSystem, isPowerOfTwo } from "./file-system.ts";

const layout = {
  magic: { at: 0, type: "text", size: 4 },
  blockSize: { at: 4, type: "u32" },
  blocks: { at: 8, type: "u64" },
  groupBlocks: { at: 84, type: "u32" },
  groups: { at: 88, type: "u32" },
  sectorSize: { at: 102, type: "u16" },
} as const satisfies Layout;

const SUPERBLOCK = { name: "the superblock", deviceOffset: 0, length: 512 };
/** A group begins with four sectors: superblock, AGF, AGI, AGFL. */
const HEADER_SECTORS = 4;
/** XFS_MIN_AG_BLOCKS. */
const FEWEST_GROUP_BLOCKS = 64;

/** XFS is big-endian on every machine. */
const fieldsOf = (superblock: Uint8Array) => decode(layout, superblock, false);

function flaw(superblock: Uint8Array): string | null {
  const { magic, blockSize, sectorSize, groupBlocks } = fieldsOf(superblock);
  if (magic !== "XFSB") return "its magic is not XFSB";
  if (!isPowerOfTwo(blockSize, 512, 65536)) return `its blocks would have ${blockSize} bytes`;
  if (!isPowerOfTwo(sectorSize, 512, 32768)) return `its sectors would have ${sectorSize} bytes`;
  return groupBlocks < FEWEST_GROUP_BLOCKS
    ? `its allocation groups would have ${groupBlocks} blocks`
    : null;
}

function* groupPlaces(superblock: Uint8Array): Iterable<Place> {
  const { blockSize, sectorSize, groupBlocks, groups } = fieldsOf(superblock);
  const length = HEADER_SECTORS * sectorSize;
  for (let group = 0; group < groups; group++) {
    const deviceOffset = group * groupBlocks * blockSize;
    yield { name: `the headers of allocation group ${group}`, deviceOffset, length };
  }
}

export const xfs: FileSystem = {
  names: ["XFS"],
  superblock: SUPERBLOCK,
  flaw,
  size: (superblock) => {
    const { blocks, blockSize } = fieldsOf(superblock);
    return Number(blocks) * blockSize;
  },
  rules: [{ id: "FSS-XFS-GROUPS", places: groupPlaces }],
};
