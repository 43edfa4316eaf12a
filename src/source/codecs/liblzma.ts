/// <reference path="./wasm.d.ts" />
import { readFileSync } from "node:fs";
import { initModule } from "node-liblzma/wasm";
import createModule from "node-liblzma/wasm/liblzma.js";
// Named here, so that a compiled executable holds it: by itself the package looks for it on the disk.
import wasmPath from "node-liblzma/wasm/liblzma.wasm" with { type: "file" };

export type Liblzma = Awaited<ReturnType<typeof initModule>>;

/** The WebAssembly module, loaded at the first call. */
export const liblzma = (): Promise<Liblzma> =>
  initModule(() => createModule({ wasmBinary: readFileSync(wasmPath) }));
