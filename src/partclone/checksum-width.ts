import type { ByteStream } from "../source/source.ts";
import { v1Checksum } from "./checksums.ts";

/** Blocks whose checksums are tried: two right ones by chance are 1 in 2^64. */
const TRIED = 2;

/**
 * Bytes that format 0001 stores after each block: 4, but partclone before 0.1.0 on 64-bit machines
 * wrote 8 and nothing in the header tells (PC1-CHECKSUM-WIDTH). The first blocks' checksums decide;
 * where they are damaged, the file's size does. Of a file that ends within the second of them the
 * wider layout has less: its second block is an error rather than another's bytes.
 */
export async function detectV1ChecksumSize(
  stream: ByteStream,
  blockSize: number,
  usedBlocks: number,
): Promise<4 | 8> {
  const tried = Math.min(TRIED, usedBlocks);
  // One byte more, as a pipe tells its size only by its end.
  const wanted = tried * (blockSize + 8) + 1;
  const available = stream.size === null ? wanted : Math.max(0, stream.size - stream.position);
  const head = new Uint8Array(Math.min(wanted, available));
  const got = await stream.peek(head);
  // One block's checksum is in the same place either way.
  if (tried === TRIED) {
    for (const width of [4, 8] as const) {
      if (checksumsFit(head.subarray(0, got), blockSize, width, tried)) return width;
    }
  }
  const size = stream.size ?? (got < wanted ? stream.position + got : null);
  if (size === null || usedBlocks === 0) return 4;
  const dataSize = size - stream.position;
  if (dataSize === usedBlocks * (blockSize + 4)) return 4;
  const endsInSecond =
    tried === TRIED && dataSize >= 2 * blockSize + 4 && dataSize < 2 * (blockSize + 8);
  return dataSize === usedBlocks * (blockSize + 8) || endsInSecond ? 8 : 4;
}

function checksumsFit(head: Uint8Array, blockSize: number, width: number, blocks: number): boolean {
  const stride = blockSize + width;
  if (head.length < blocks * stride) return false;
  const checksum = v1Checksum(blockSize);
  for (let block = 0; block < blocks; block++) {
    const at = block * stride;
    checksum.update(head.subarray(at, at + blockSize));
    if (!checksum.matches(head.subarray(at + blockSize, at + stride))) return false;
  }
  return true;
}
