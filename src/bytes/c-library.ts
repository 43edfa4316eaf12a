import { dlopen, type FFIFunction } from "bun:ffi";
import { ImageBackupError } from "./errors.ts";

const MUSL_MACHINE: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64" };
const LIBRARIES = ["libc.so.6", `libc.musl-${MUSL_MACHINE[process.arch] ?? process.arch}.so.1`];

/** Functions of the first of these shared libraries that is there and has them; `null`: none. */
export function openLibrary<const Functions extends Record<string, FFIFunction>>(
  names: readonly string[],
  functions: Functions,
) {
  for (const name of names) {
    try {
      return dlopen(name, functions).symbols;
    } catch {
      // The next name may be there.
    }
  }
  return null;
}

/** Functions of the C library: glibc's or musl's. Throws SYSTEM where there is neither. */
export function openCLibrary<const Functions extends Record<string, FFIFunction>>(
  functions: Functions,
) {
  const library = openLibrary(LIBRARIES, functions);
  if (library) return library;
  throw new ImageBackupError("SYSTEM", `no C library found (looked for ${LIBRARIES.join(", ")})`);
}
