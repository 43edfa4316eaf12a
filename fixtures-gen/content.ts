import { fillRandom, mix } from "./random.ts";

/** Of the blocks, one in this many holds random bytes. */
const RANDOM_ONE_IN = 4;

/** Each 8-byte word is its own offset, little-endian: a misplaced read names its place. */
function ownOffsets(size: number): Uint8Array {
  const words = new Uint32Array(2 * Math.ceil(size / 8));
  for (let word = 0; word < words.length; word += 2) words[word] = 4 * word;
  return new Uint8Array(words.buffer, 0, size);
}

/** The whole device: own offsets mixed with random blocks, zeros wherever nothing is stored. */
export function partitionContent(
  seed: number,
  deviceSize: number,
  blockSize: number,
  isStored: (block: number) => boolean,
): Uint8Array {
  const partition = ownOffsets(deviceSize);
  const blocks = Math.ceil(deviceSize / blockSize);
  for (let block = 0; block < blocks; block++) {
    const bytes = partition.subarray(block * blockSize, (block + 1) * blockSize);
    const blockSeed = mix(seed, block);
    if (!isStored(block)) bytes.fill(0);
    else if (blockSeed % RANDOM_ONE_IN === 0) fillRandom(bytes, blockSeed);
  }
  return partition;
}
