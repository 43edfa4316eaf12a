import { afterAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChecksum, encodeCrc32, partcloneCrc32 } from "../../fixtures-gen/checksums.ts";
import {
  BYTE_ORDER_MARK,
  sealHeader,
  V2_HEADER,
  V2_HEADER_SIZE,
} from "../../fixtures-gen/partclone-v2.ts";
import { put } from "../../fixtures-gen/struct.ts";

const MAIN = join(import.meta.dirname, "..", "..", "src", "cli", "vconform.ts");
const MIB = 2 ** 20;
/** Bun itself has 45 of them; the rest is what it collects late. */
const MOST_MEMORY = 160 * MIB;
const BLOCK = 4096;
const STRIP = 32 * MIB;

const scratch = mkdtempSync(join(tmpdir(), "vconform-memory-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const modes = { crc32: 0x20, xxh128: 0x31 } as const;
type Mode = keyof typeof modes;

/** An image of zeros, each strip a hole in the file. */
function imageOf(size: number, mode: Mode): string {
  const path = join(scratch, `${size / MIB}-${mode}.img`);
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

for (const size of [256 * MIB, 2048 * MIB]) {
  for (const mode of ["crc32", "xxh128"] as const) {
    for (const way of ["file", "pipe"] as const) {
      test(`${size / MIB} MiB with ${mode} in a ${way} take no more than ${MOST_MEMORY / MIB}`, async () => {
        const path = imageOf(size, mode);
        const cat = way === "pipe" ? Bun.spawn(["cat", path]) : null;
        const child = Bun.spawn([process.execPath, MAIN, cat ? "-" : path], {
          stdin: cat?.stdout ?? "ignore",
          stdout: "ignore",
        });
        expect(await child.exited).toBe(0);
        const peak = child.resourceUsage()?.maxRSS ?? Infinity;
        if (process.env.LONG === "1") console.log(`${way}: ${Math.round(peak / MIB)} MiB`);
        expect(peak).toBeLessThan(MOST_MEMORY);
        rmSync(path);
      }, 120_000);
    }
  }
}
