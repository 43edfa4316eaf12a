import { closeSync, openSync, writeSync } from "node:fs";
import { createChecksum, encodeCrc32, partcloneCrc32 } from "../fixtures-gen/checksums.ts";
import {
  BYTE_ORDER_MARK,
  sealHeader,
  V2_HEADER,
  V2_HEADER_SIZE,
} from "../fixtures-gen/partclone-v2.ts";
import { put } from "../fixtures-gen/struct.ts";

const BLOCK = 4096;
const STRIP = 32 * 2 ** 20;

const modes = { crc32: 0x20, xxh128: 0x31 } as const;
export type Mode = keyof typeof modes;

/** Writes an image of zeros, each strip a hole in the file: large, and quickly made. */
export function imageOfZeros(path: string, size: number, mode: Mode): string {
  const blocks = size / BLOCK;
  const sum = createChecksum(mode, "little");
  const header = new Uint8Array(V2_HEADER_SIZE);
  const values = {
    ...{ magic: "partclone-image", toolVersion: "0.3.47", version: "0002", fsType: "raw" },
    ...{ byteOrder: BYTE_ORDER_MARK, deviceSize: size, totalBlocks: blocks, blockSize: BLOCK },
    ...{ usedSuperblock: blocks, usedBitmap: blocks, featureSize: 18, imageVersion: 2 },
    ...{ cpuBits: 64, checksumMode: modes[mode], checksumSize: sum.size, reseed: 1, bitmapMode: 1 },
    blocksPerChecksum: STRIP / BLOCK,
  };
  put(header, V2_HEADER, values, "little");
  sealHeader(header, "little");
  const bitmap = new Uint8Array(blocks / 8).fill(0xff);
  const front = Buffer.concat([header, bitmap, encodeCrc32(partcloneCrc32(bitmap), "little")]);
  sum.reset();
  sum.update(new Uint8Array(STRIP));
  const fd = openSync(path, "w");
  writeSync(fd, front);
  for (let end = front.length + STRIP, left = size; left > 0; left -= STRIP) {
    writeSync(fd, sum.bytes(), 0, sum.size, end);
    end += sum.size + STRIP;
  }
  closeSync(fd);
  return path;
}
