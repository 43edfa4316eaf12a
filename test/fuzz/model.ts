/**
 * A reader as naive as can be, from the pages in spec/: one block at a time, with bigints. It shares
 * no code with the real one, and says where that one must find each block of an image that it opens.
 */

/** Where a block's bytes are: in a hole, at a byte of the image, or nobody can know. */
export type Place = "hole" | "unknown" | { readonly at: bigint; readonly length: number };

export interface Model {
  readonly deviceSize: bigint;
  readonly blockSize: number;
  readonly blockCount: bigint;
  placeOf(block: bigint): Place;
}

const viewOf = (image: Uint8Array) =>
  new DataView(image.buffer, image.byteOffset, image.byteLength);

/** `width`: bytes after each block, which only the checksums can tell (PC1-CHECKSUM-WIDTH). */
function modelV1(image: Uint8Array, width: number): Model {
  const view = viewOf(image);
  const blockSize = view.getUint32(36, true);
  const blockCount = view.getBigUint64(48, true);
  const map = image.subarray(4160, 4160 + Number(blockCount));
  const ranks = ranksOf(map.length, (block) => map[block] === 1);
  const start = 4160n + blockCount + 8n;
  return {
    deviceSize: view.getBigUint64(40, true),
    blockSize,
    blockCount,
    placeOf(block) {
      const rank = ranks(Number(block));
      if (rank === null) return "hole";
      return { at: start + BigInt(rank) * BigInt(blockSize + width), length: blockSize };
    },
  };
}

const MODES = { none: 0, bits: 1 } as const;

function modelV2(image: Uint8Array): Model {
  const view = viewOf(image);
  const little = view.getUint8(34) === 0xde;
  const blockCount = view.getBigUint64(60, little);
  const blockSize = view.getUint32(84, little);
  const checksumSize = BigInt(view.getUint16(98, little));
  const perStrip = BigInt(view.getUint32(100, little));
  const mode = view.getUint8(105);
  const ranks = mode === MODES.none ? null : mapOf(image, mode, Number(blockCount), little);
  const bits = mode === MODES.bits;
  const mapBytes = bits ? (blockCount + 7n) / 8n + 4n : blockCount + 8n;
  const start = 110n + (mode === MODES.none ? 0n : mapBytes);
  return {
    deviceSize: view.getBigUint64(52, little),
    blockSize,
    blockCount,
    placeOf(block) {
      const rank = ranks === null ? block : ranks(Number(block));
      if (rank === null) return "hole";
      const before = checksumSize === 0n ? 0n : (BigInt(rank) / perStrip) * checksumSize;
      return { at: start + BigInt(rank) * BigInt(blockSize) + before, length: blockSize };
    },
  };
}

function mapOf(image: Uint8Array, mode: number, blocks: number, little: boolean) {
  if (mode !== MODES.bits) return ranksOf(blocks, (block) => image[110 + block] === 1);
  const wordBytes = viewOf(image).getUint16(94, little) / 8;
  return ranksOf(blocks, (block) => {
    const byte = Math.floor(block / 8);
    const inWord = byte % wordBytes;
    const at = little ? byte : byte - inWord + (wordBytes - 1 - inWord);
    return (((image[110 + at] ?? 0) >> (block % 8)) & 1) === 1;
  });
}

/** The number of each present block among the present ones; null: absent. */
function ranksOf(blocks: number, isPresent: (block: number) => boolean) {
  const ranks = new Map<number, number>();
  for (let block = 0; block < blocks; block++) if (isPresent(block)) ranks.set(block, ranks.size);
  return (block: number) => ranks.get(block) ?? null;
}

interface Walk {
  readonly stored: ReadonlyMap<bigint, bigint>;
  /** Absent positions from here on may have been stored: null: none, the commands are complete. */
  readonly unknownFrom: bigint | null;
}

function modelNtfsclone(image: Uint8Array): Model {
  const view = viewOf(image);
  const old = view.getUint8(16) < 10;
  const little = !old || isLittle(view);
  const blockSize = view.getUint32(18, little);
  const deviceSize = view.getBigUint64(22, little);
  const clusters = view.getBigInt64(30, little);
  const lengthOf = (position: bigint) => {
    const left = deviceSize - position * BigInt(blockSize);
    return Number(left < 0n ? 0n : left < BigInt(blockSize) ? left : BigInt(blockSize));
  };
  const { stored, unknownFrom } = walk(
    image,
    { start: old ? 46 : view.getUint32(46, true), clusters, little },
    lengthOf,
  );
  return {
    deviceSize,
    blockSize,
    blockCount: clusters + (lengthOf(clusters) > 0 ? 1n : 0n),
    placeOf(position) {
      const at = stored.get(position);
      if (at !== undefined) return { at, length: lengthOf(position) };
      return unknownFrom !== null && position >= unknownFrom ? "unknown" : "hole";
    },
  };
}

/** NTC-MAJOR: the order in which the header makes sense; little-endian if it makes none. */
function isLittle(view: DataView): boolean {
  const fits = (little: boolean) => {
    const size = view.getUint32(18, little);
    const clusters = view.getBigInt64(30, little);
    const isPower = size >= 256 && size <= 2 ** 21 && Number.isInteger(Math.log2(size));
    return isPower && clusters > 0n && clusters * BigInt(size) <= view.getBigUint64(22, little);
  };
  return fits(true) || !fits(false);
}

interface Commands {
  readonly start: number;
  readonly clusters: bigint;
  readonly little: boolean;
}

function walk(image: Uint8Array, commands: Commands, lengthOf: (p: bigint) => number): Walk {
  const view = viewOf(image);
  const { clusters, little } = commands;
  const stored = new Map<bigint, bigint>();
  let [at, position] = [commands.start, 0n];
  let first: bigint | null = null;
  let turnedBack = false;
  const broken = () => ({ stored, unknownFrom: turnedBack || first !== 0n ? 0n : position });
  while (position <= clusters) {
    if (at >= image.length) return position === clusters ? { stored, unknownFrom: null } : broken();
    const command = image[at];
    if (command === 1) {
      const length = lengthOf(position);
      if (at + 1 + length > image.length) return broken();
      stored.set(position, BigInt(at + 1));
      first ??= position;
      at += 1 + length;
      position++;
    } else if (command === 0) {
      if (at + 9 > image.length) return broken();
      const count = view.getBigInt64(at + 1, little);
      if (count === 0n) return broken();
      if (count < 0n) turnedBack = true;
      position += count;
      at += 9;
    } else return broken();
  }
  return { stored, unknownFrom: null };
}

/** The model of an image that the real reader has opened. `width`: as that one found it. */
export function modelOf(image: Uint8Array, format: string, width: number): Model {
  if (format === "partclone 0001") return modelV1(image, width);
  return format === "partclone 0002" ? modelV2(image) : modelNtfsclone(image);
}
