import { dlopen } from "bun:ffi";
import { expect } from "bun:test";
import { closeSync, openSync, readdirSync, statSync } from "node:fs";
import { claims } from "../fuzz/claims.ts";
import { testWith } from "../require.ts";
import { folder, mounted, NEEDS, readRange, TIMEOUT } from "./command.ts";

const SEEK_DATA = 3;
const SEEK_HOLE = 4;
/** For a look at the mount, on a machine that is busy with other tests. */
const AT_ONCE_MS = 2000;
const MOST_MEMORY_KIB = 200 * 1024;

/** Asks for the next data and hole from the file's first, middle and last byte. */
function seekAround(file: string, size: number): void {
  const libc = dlopen("libc.so.6", { lseek: { args: ["i32", "i64", "i32"], returns: "i64" } });
  const fd = openSync(file, "r");
  try {
    for (const at of [0, Math.floor(size / 2), Math.max(0, size - 1)]) {
      for (const whence of [SEEK_DATA, SEEK_HOLE]) {
        const found = Number(libc.symbols.lseek(fd, at, whence));
        expect(found === -1 || (found >= at && found <= size)).toBe(true);
      }
    }
  } finally {
    closeSync(fd);
    libc.close();
  }
}

async function peakMemory(pid: number): Promise<number> {
  const status = await Bun.file(`/proc/${pid}/status`).text();
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]);
}

/** One of each kind: to open the others is no different. */
const mountedClaims = [
  "no bitmap, 2^51 blocks of a byte",
  "no bitmap, 2^40 blocks, a checksum each",
  "a block of 64 MiB",
  "a device of no bytes",
  "ntfsclone: 2^40 clusters, all in use",
];

for (const name of mountedClaims) {
  testWith(
    NEEDS,
    `mounted: ${name}`,
    async () => {
      using made = folder();
      const { image } = claims[name] ?? { image: new Uint8Array() };
      await using mount = await mounted(made.file("big.img", image));
      const start = performance.now();
      expect(readdirSync(mount.directory)).toEqual(["big"]);
      const { size, blocks, blksize } = statSync(mount.file);
      expect(blocks * 512).toBeLessThan(size + 512);
      expect(blksize).toBeLessThanOrEqual(2 ** 20);
      seekAround(mount.file, size);
      for (const at of [0, Math.floor(size / 2), Math.max(0, size - 4096)]) {
        const read = readRange(mount.file, at, 4096);
        expect(typeof read === "string" ? read : "bytes").toMatch(/^(EIO|bytes)$/);
        // Short of what is there, a read may not be.
        if (typeof read !== "string") expect(read.length).toBe(Math.min(4096, size - at));
      }
      expect(performance.now() - start).toBeLessThan(AT_ONCE_MS);
      expect(await peakMemory(mount.pid)).toBeLessThan(MOST_MEMORY_KIB);
      expect(mount.unmount().code).toBe(0);
      await mount.ended();
    },
    TIMEOUT,
  );
}
