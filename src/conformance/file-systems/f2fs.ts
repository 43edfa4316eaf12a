import { decode, type Layout } from "../../bytes/struct.ts";
import type { Partition, Place } from "../partition.ts";
import type { FileSystem } from "./file-system.ts";

const layout = {
  magic: { at: 0, type: "u32" },
  logBlockSize: { at: 16, type: "u32" },
  logBlocksPerSegment: { at: 20, type: "u32" },
  blocks: { at: 36, type: "u64" },
  checkpointBlock: { at: 76, type: "u32" },
} as const satisfies Layout;

const packLayout = {
  version: { at: 0, type: "u64" },
  blocks: { at: 136, type: "u32" },
} as const satisfies Layout;
const PACK_BYTES = 140;

const SUPERBLOCK = { name: "the superblock", deviceOffset: 1024, length: 128 };
const MAGIC = 0xf2f52010;

const fieldsOf = (superblock: Uint8Array) => decode(layout, superblock, true);

function flaw(superblock: Uint8Array): string | null {
  const { magic, logBlockSize, logBlocksPerSegment } = fieldsOf(superblock);
  if (magic !== MAGIC) return "its magic is not F2F52010";
  if (logBlockSize < 12 || logBlockSize > 16)
    return `its blocks would have 2^${logBlockSize} bytes`;
  return logBlocksPerSegment > 20
    ? `its segments would have 2^${logBlocksPerSegment} blocks`
    : null;
}

/** Both packs' first blocks, and the whole of the one written last. */
async function* checkpointPlaces(superblock: Uint8Array, partition: Partition) {
  const { logBlockSize, logBlocksPerSegment, checkpointBlock } = fieldsOf(superblock);
  const blockSize = 2 ** logBlockSize;
  const segmentBlocks = 2 ** logBlocksPerSegment;
  let latest = { version: -1n, name: "", deviceOffset: 0, length: 0 };
  for (const pack of [0, 1]) {
    const deviceOffset = (checkpointBlock + pack * segmentBlocks) * blockSize;
    yield { name: `checkpoint pack ${pack + 1}'s first block`, deviceOffset, length: blockSize };
    const head = decode(packLayout, await partition.read(deviceOffset, PACK_BYTES), true);
    const length = Math.min(head.blocks, segmentBlocks) * blockSize;
    if (head.version > latest.version) {
      latest = { version: head.version, name: `checkpoint pack ${pack + 1}`, deviceOffset, length };
    }
  }
  const { name, deviceOffset, length } = latest;
  const place: Place = { name, deviceOffset, length };
  yield place;
}

export const f2fs: FileSystem = {
  names: ["F2FS"],
  superblock: SUPERBLOCK,
  flaw,
  size: (superblock) => {
    const { blocks, logBlockSize } = fieldsOf(superblock);
    return Number(blocks) * 2 ** logBlockSize;
  },
  rules: [{ id: "FSS-F2FS-CHECKPOINT", places: checkpointPlaces }],
};
