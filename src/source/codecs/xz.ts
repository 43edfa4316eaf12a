import {
  autoDecoderInit,
  code,
  copyFromWasm,
  decoderInit,
  end,
  LZMA_BUF_ERROR,
  LZMA_DATA_ERROR,
  LZMA_FINISH,
  LZMA_FORMAT_ERROR,
  LZMA_MEM_ERROR,
  LZMA_MEMLIMIT_ERROR,
  LZMA_OK,
  LZMA_OPTIONS_ERROR,
  LZMA_RUN,
  LZMA_STREAM_END,
  WasmLzmaStream,
} from "node-liblzma/wasm";
import type { ImageBackupError } from "../../bytes/errors.ts";
import type { ByteStream } from "../source.ts";
import { beyondUs, damaged, ENDS_EARLY } from "./damaged.ts";
import { type Liblzma, liblzma } from "./liblzma.ts";
import { isLzma } from "./lzma-header.ts";

const INPUT_SIZE = 64 * 1024;
const OUTPUT_SIZE = 256 * 1024;
/** The largest preset, `xz -9`, needs 65 MiB; the WebAssembly module has 256 MiB. */
const MEMORY_LIMIT = 200 * 2 ** 20;

/**
 * How much is decompressed between two collections of the chunks that were read. Left alone, the
 * collector waits for garbage in proportion to the module's memory: with the 64 MiB of `xz -9`,
 * 370 MiB were resident.
 */
const COLLECTED_SIZE = 16 * 2 ** 20;

interface Format {
  readonly name: string;
  readonly start: (stream: WasmLzmaStream, memoryLimit: number) => void;
  readonly isMember: (head: Uint8Array) => boolean;
  /** Zeros may follow a member, in multiples of this (xz file format, 2.2). */
  readonly paddingUnit: number;
}

const XZ_MAGIC = "fd377a585a00";
const LZIP_MAGIC = "4c5a4950";

const xz: Format = {
  name: "xz",
  start: decoderInit,
  isMember: (head) => head.subarray(0, XZ_MAGIC.length / 2).toHex() === XZ_MAGIC,
  paddingUnit: 4,
};

const lzma: Format = { name: "lzma", start: autoDecoderInit, isMember: isLzma, paddingUnit: 1 };

const lzip: Format = {
  name: "lzip",
  start: autoDecoderInit,
  isMember: (head) => head.subarray(0, 4).toHex() === LZIP_MAGIC,
  paddingUnit: 1,
};

/** Decompresses .xz streams one after the other. */
export function unxz(input: ByteStream): AsyncGenerator<Uint8Array> {
  return members(input, xz);
}

/** Decompresses .lzma files, which carry no checksum: damage can go unseen. */
export function unlzma(input: ByteStream): AsyncGenerator<Uint8Array> {
  return members(input, lzma);
}

/** Decompresses lzip members one after the other. */
export function unlzip(input: ByteStream): AsyncGenerator<Uint8Array> {
  return members(input, lzip);
}

async function* members(input: ByteStream, format: Format): AsyncGenerator<Uint8Array> {
  const module = await liblzma();
  const stream = new WasmLzmaStream(module);
  const buffer = module._malloc(INPUT_SIZE + OUTPUT_SIZE);
  let uncollected = 0;
  try {
    do {
      format.start(stream, MEMORY_LIMIT);
      for await (const chunk of member(input, format, module, stream, buffer)) {
        yield chunk;
        uncollected += chunk.length;
        if (uncollected < COLLECTED_SIZE) continue;
        Bun.gc(false);
        uncollected = 0;
      }
      end(stream);
    } while (await isAnotherMember(input, format));
  } finally {
    end(stream);
    stream.free();
    module._free(buffer);
  }
}

async function* member(
  input: ByteStream,
  format: Format,
  module: Liblzma,
  stream: WasmLzmaStream,
  buffer: number,
): AsyncGenerator<Uint8Array> {
  const chunk = new Uint8Array(INPUT_SIZE);
  for (let status: number = LZMA_OK; status !== LZMA_STREAM_END; ) {
    const count = await input.peek(chunk);
    module.HEAPU8.set(chunk.subarray(0, count), buffer);
    stream.setInput(buffer, count);
    const action = count < chunk.length ? LZMA_FINISH : LZMA_RUN;
    do {
      stream.setOutput(buffer + INPUT_SIZE, OUTPUT_SIZE);
      status = code(stream, action);
      const size = OUTPUT_SIZE - stream.availOut;
      if (size > 0) yield copyFromWasm(module, buffer + INPUT_SIZE, size);
    } while (status === LZMA_OK && (stream.availIn > 0 || stream.availOut === 0));
    await input.skip(count - stream.availIn);
    if (status !== LZMA_OK && status !== LZMA_STREAM_END) throw problem(input, format, status);
  }
}

async function isAnotherMember(input: ByteStream, format: Format): Promise<boolean> {
  const head = new Uint8Array(4096);
  for (let padding = 0; ; ) {
    const length = await input.peek(head);
    const start = head.subarray(0, length).findIndex((byte) => byte !== 0);
    const zeros = start < 0 ? length : start;
    await input.skip(zeros);
    padding += zeros;
    if (start > 0 || (start < 0 && length > 0)) continue;
    const isAligned = padding % format.paddingUnit === 0;
    if (length === 0 && isAligned) return false;
    if (isAligned && format.isMember(head.subarray(0, length))) return true;
    throw damaged(input, format.name, `something that is not ${format.name} follows the data`);
  }
}

const reasons: Readonly<Record<number, string>> = {
  [LZMA_BUF_ERROR]: ENDS_EARLY,
  [LZMA_DATA_ERROR]: "the data contradicts itself or its checksum",
  [LZMA_FORMAT_ERROR]: "a header is invalid",
};

function problem(input: ByteStream, format: Format, status: number): ImageBackupError {
  const command = "xz -dc";
  if (status === LZMA_MEMLIMIT_ERROR || status === LZMA_MEM_ERROR) {
    return beyondUs(input, "decompressing it needs more than 200 MiB of memory at once", command);
  }
  if (status === LZMA_OPTIONS_ERROR) {
    return beyondUs(input, "it is compressed with options that cannot be read yet", command);
  }
  return damaged(input, format.name, reasons[status] ?? `liblzma returned ${status}`);
}
