/** Zstandard by the system's own libzstd, into memory that is used again. */
import type { Pointer } from "bun:ffi";
import { openLibrary } from "../../bytes/c-library.ts";

export interface LibraryDecoder extends Disposable {
  /** The frames decoded, in `into`; `null` where that cannot be: they are damaged, or too large. */
  decode(frames: Uint8Array, into: Uint8Array, dictionary?: Uint8Array): Uint8Array | null;
}

/** `null` where the library is not installed. */
export function libraryDecoder(): LibraryDecoder | null {
  const library = openLibrary(["libzstd.so.1"], {
    ZSTD_createDCtx: { args: [], returns: "ptr" },
    ZSTD_freeDCtx: { args: ["ptr"], returns: "u64" },
    ZSTD_decompress_usingDict: {
      args: ["ptr", "ptr", "u64", "ptr", "u64", "ptr", "u64"],
      returns: "u64",
    },
    ZSTD_isError: { args: ["u64"], returns: "u32" },
  });
  let context = (library?.ZSTD_createDCtx() ?? null) as Pointer | null;
  if (!library || !context) return null;
  return {
    decode(frames, into, dictionary) {
      if (!context || into.length === 0 || frames.length === 0) return null;
      const [from, size] = dictionary ? [dictionary, dictionary.length] : [null, 0];
      const given = [frames, frames.length, from, size] as const;
      const length = library.ZSTD_decompress_usingDict(context, into, into.length, ...given);
      return library.ZSTD_isError(length) ? null : into.subarray(0, Number(length));
    },
    [Symbol.dispose]() {
      library.ZSTD_freeDCtx(context);
      // A pass that is given up may still be at a segment.
      context = null;
    },
  };
}
