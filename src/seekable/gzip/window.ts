import { promisify } from "node:util";
import { constants, type ZstdOptions, zstdCompress, zstdDecompress } from "node:zlib";
import { WINDOW_SIZE } from "./inflate.ts";

const compress = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdCompress);
const decompress = promisify<Uint8Array, ZstdOptions, Uint8Array>(zstdDecompress);
const OPTIONS = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

/** The bytes of `window` that `marks`, whose end is the window's end, tell to be needed. */
export function sparseWindow(window: Uint8Array, marks: Uint8Array): Promise<Uint8Array> {
  const offset = marks.length - window.length;
  return compress(
    window.map((byte, index) => (marks[offset + index] === 1 ? byte : 0)),
    OPTIONS,
  );
}

export function expandedWindow(window: Uint8Array): Promise<Uint8Array> {
  return decompress(window, { maxOutputLength: WINDOW_SIZE });
}
