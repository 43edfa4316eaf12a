/// <reference path="./wasm.d.ts" />
import { readFileSync } from "node:fs";
import { copyFromWasm, LZMA_RUN, WasmLzmaStream } from "node-liblzma/wasm";
import createModule from "node-liblzma/wasm/liblzma.js";
// Named here, so that a compiled executable holds it: by itself the package looks for it on the disk.
import wasmPath from "node-liblzma/wasm/liblzma.wasm" with { type: "file" };

type Module = Awaited<ReturnType<typeof createModule>>;

const INPUT_SIZE = 64 * 1024;
const OUTPUT_SIZE = 256 * 1024;
/** The largest preset, `xz -9`, needs 65 MiB; the WebAssembly module has 256 MiB. */
const MEMORY_LIMIT = BigInt(200 * 2 ** 20);
/** Modules that are kept for the next use: the engine is slow to free their memory. */
const MOST_IDLE = 2;

/** Which of liblzma's decoders. */
export type Decoder = "_lzma_stream_decoder" | "_lzma_auto_decoder";

/** What liblzma did with some input. */
export interface Turn {
  readonly status: number;
  /** Bytes of the input that it took. */
  readonly taken: number;
  readonly output: Uint8Array;
}

let binary: Uint8Array<ArrayBuffer> | null = null;

/** The WebAssembly module as it is stored. */
export function liblzmaBinary(): Uint8Array<ArrayBuffer> {
  binary ??= new Uint8Array(readFileSync(wasmPath));
  return binary;
}

const idle: Module[] = [];
/** The memory of a module that has done nothing yet. */
let fresh: Uint8Array | null = null;

/**
 * liblzma with a memory of its own, which is all its state: a copy of it, given to another one of
 * the same binary, goes on from there.
 */
export class LzmaMachine implements Disposable {
  readonly inputSize = INPUT_SIZE;
  readonly #module: Module;
  readonly #stream: WasmLzmaStream;
  readonly #buffer: number;

  private constructor(module: Module) {
    this.#module = module;
    setMemory(module, fresh as Uint8Array);
    // In memory that is always the same both are always at the same places.
    this.#stream = new WasmLzmaStream(module);
    this.#buffer = module._malloc(INPUT_SIZE + OUTPUT_SIZE);
  }

  static async start(): Promise<LzmaMachine> {
    const module = idle.pop() ?? (await createModule({ wasmBinary: liblzmaBinary() }));
    fresh ??= module.HEAPU8.slice();
    return new LzmaMachine(module);
  }

  /** A copy of it all, without the input and output. */
  save(): Uint8Array {
    this.#module.HEAPU8.fill(0, this.#buffer, this.#buffer + INPUT_SIZE + OUTPUT_SIZE);
    return this.#module.HEAPU8.slice();
  }

  load(saved: Uint8Array): void {
    setMemory(this.#module, saved);
  }

  begin(decoder: Decoder): number {
    return this.#module[decoder](this.#stream.ptr, MEMORY_LIMIT, 0);
  }

  /**
   * Decodes, from at most `inputSize` bytes. liblzma is never told that its input is at the end: it
   * would then take no more, which what goes on from a copy has. It sees itself that none comes.
   */
  run(input: Uint8Array): Turn {
    const { HEAPU8 } = this.#module;
    HEAPU8.set(input, this.#buffer);
    this.#stream.setInput(this.#buffer, input.length);
    this.#stream.setOutput(this.#buffer + INPUT_SIZE, OUTPUT_SIZE);
    const status = this.#module._lzma_code(this.#stream.ptr, LZMA_RUN);
    const taken = input.length - this.#stream.availIn;
    const size = OUTPUT_SIZE - this.#stream.availOut;
    return { status, taken, output: copyFromWasm(this.#module, this.#buffer + INPUT_SIZE, size) };
  }

  [Symbol.dispose](): void {
    if (idle.length < MOST_IDLE) idle.push(this.#module);
  }
}

function setMemory(module: Module, memory: Uint8Array): void {
  const missing = memory.length - module.HEAPU8.length;
  // It grows for a piece that does not fit; what is allocated is written over.
  if (missing > 0) module._malloc(memory.length);
  module.HEAPU8.set(memory);
  module.HEAPU8.fill(0, memory.length);
}
