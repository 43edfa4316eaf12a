import {
  LZMA_BUF_ERROR,
  LZMA_DATA_ERROR,
  LZMA_FORMAT_ERROR,
  LZMA_MEM_ERROR,
  LZMA_MEMLIMIT_ERROR,
  LZMA_OK,
  LZMA_OPTIONS_ERROR,
  LZMA_STREAM_END,
} from "node-liblzma/wasm";
import type { ImageBackupError } from "../../bytes/errors.ts";
import { free } from "../../bytes/free.ts";
import type { ByteStream } from "../source.ts";
import { badContent, beyondUs, damaged, ENDS_EARLY } from "./damaged.ts";
import { type Decoder, LzmaMachine } from "./liblzma.ts";
import { isLzma } from "./lzma-header.ts";

/**
 * How much is decompressed between two collections of the chunks that were read. Left alone, the
 * collector waits for garbage in proportion to the module's memory: with the 64 MiB of `xz -9`,
 * 370 MiB were resident.
 */
const COLLECTED_SIZE = 16 * 2 ** 20;

export interface LzmaFormat {
  readonly name: string;
  readonly decoder: Decoder;
  readonly isMember: (head: Uint8Array) => boolean;
  /** Zeros may follow a member, in multiples of this (xz file format, 2.2). */
  readonly paddingUnit: number;
}

const XZ_MAGIC = "fd377a585a00";
const LZIP_MAGIC = "4c5a4950";

export const xzFormat: LzmaFormat = {
  name: "xz",
  decoder: "_lzma_stream_decoder",
  isMember: (head) => head.subarray(0, XZ_MAGIC.length / 2).toHex() === XZ_MAGIC,
  paddingUnit: 4,
};

export const lzmaFormat: LzmaFormat = {
  name: "lzma",
  decoder: "_lzma_auto_decoder",
  isMember: isLzma,
  paddingUnit: 1,
};

export const lzipFormat: LzmaFormat = {
  name: "lzip",
  decoder: "_lzma_auto_decoder",
  isMember: (head) => head.subarray(0, 4).toHex() === LZIP_MAGIC,
  paddingUnit: 1,
};

/** Decompresses .xz streams one after the other. */
export function unxz(input: ByteStream): AsyncGenerator<Uint8Array> {
  return chunksOf(input, xzFormat);
}

/** Decompresses .lzma files, which carry no checksum: damage can go unseen. */
export function unlzma(input: ByteStream): AsyncGenerator<Uint8Array> {
  return chunksOf(input, lzmaFormat);
}

/** Decompresses lzip members one after the other. */
export function unlzip(input: ByteStream): AsyncGenerator<Uint8Array> {
  return chunksOf(input, lzipFormat);
}

async function* chunksOf(input: ByteStream, format: LzmaFormat): AsyncGenerator<Uint8Array> {
  let uncollected = 0;
  for await (const { bytes } of lzmaPieces(input, format, null)) {
    yield bytes;
    uncollected += bytes.length;
    if (uncollected < COLLECTED_SIZE) continue;
    Bun.gc(false);
    uncollected = 0;
  }
}

export interface LzmaPiece {
  readonly bytes: Uint8Array;
  /** What a decoder must know where the input is now; empty between two members. */
  save(): Uint8Array;
}

/**
 * What all members decode to, from the beginning of one or, with a saved state, from within one: it
 * is large, and is freed once it is loaded.
 */
export async function* lzmaPieces(
  input: ByteStream,
  format: LzmaFormat,
  saved: Uint8Array | null,
): AsyncGenerator<LzmaPiece> {
  using machine = await LzmaMachine.start();
  if (saved) {
    machine.load(saved);
    free(saved);
  } else begin(machine, input, format);
  yield* restOfMember(input, format, machine);
  while (await isAnotherMember(input, format)) {
    yield { bytes: new Uint8Array(), save: () => new Uint8Array() };
    begin(machine, input, format);
    yield* restOfMember(input, format, machine);
  }
}

function begin(machine: LzmaMachine, input: ByteStream, format: LzmaFormat): void {
  const status = machine.begin(format.decoder);
  if (status !== LZMA_OK) throw problem(input, format, status);
}

async function* restOfMember(
  input: ByteStream,
  format: LzmaFormat,
  machine: LzmaMachine,
): AsyncGenerator<LzmaPiece> {
  const chunk = new Uint8Array(machine.inputSize);
  const save = () => machine.save();
  for (let status: number = LZMA_OK; status !== LZMA_STREAM_END; ) {
    const count = await input.peek(chunk);
    const turn = machine.run(chunk.subarray(0, count));
    ({ status } = turn);
    await input.skip(turn.taken);
    if (turn.output.length > 0) yield { bytes: turn.output, save };
    if (status !== LZMA_OK && status !== LZMA_STREAM_END) throw problem(input, format, status);
  }
}

async function isAnotherMember(input: ByteStream, format: LzmaFormat): Promise<boolean> {
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
  [LZMA_FORMAT_ERROR]: "a header is invalid",
};

function problem(input: ByteStream, format: LzmaFormat, status: number): ImageBackupError {
  const command = "xz -dc";
  if (status === LZMA_MEMLIMIT_ERROR || status === LZMA_MEM_ERROR) {
    return beyondUs(input, "decompressing it needs more than 200 MiB of memory at once", command);
  }
  if (status === LZMA_OPTIONS_ERROR) {
    return beyondUs(input, "it is compressed with options that cannot be read yet", command);
  }
  // What contradicts itself was wrong some way before: one wrong bit changes all that follows.
  if (status === LZMA_DATA_ERROR) {
    return badContent(input, format.name, "the data contradicts itself or its checksum");
  }
  return damaged(input, format.name, reasons[status] ?? `liblzma returned ${status}`);
}
